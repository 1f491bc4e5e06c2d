"""The user's Python files: their lines, and the functions and loops around a line."""

from __future__ import annotations

import ast
import linecache
import warnings
from collections.abc import Iterator
from functools import cached_property

from jitinspect.ir.attribution import Line

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_LOOPS = (ast.For, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class SourceFiles:
    """`files[name]` is the file; each is read once."""

    def __init__(self) -> None:
        self._files: dict[str, SourceFile] = {}

    def __getitem__(self, file: str) -> SourceFile:
        if file not in self._files:
            self._files[file] = SourceFile(file)
        return self._files[file]

    def text_of(self, line: Line) -> str:
        """The line, stripped."""
        return self[line.file].text(line.line).strip()

    def loop_of(self, line: Line) -> Line | None:
        """The line at which the innermost loop around `line` begins."""
        found = self[line.file].loop(line.line)
        return Line(line.file, found) if found is not None else None


class SourceFile:
    """One file. If it cannot be read, it has no lines; if it does not parse, no functions and loops."""

    def __init__(self, file: str) -> None:
        self.lines: list[str] = [line.rstrip("\n") for line in linecache.getlines(file)]

    def text(self, line: int) -> str:
        """The line as written, counted from 1; empty if there is no such line."""
        return self.lines[line - 1] if 0 < line <= len(self.lines) else ""

    def function(self, line: int) -> range:
        """The lines of the outermost function around `line`, including its decorators; only the line itself
        if it is in none, as in a lambda of a module.
        """
        return next((span for span in self._functions if line in span), range(line, line + 1))

    def named(self, name: str) -> list[range]:
        """The lines of each function of that name, with its decorators; `<lambda>` is the name of lambdas."""
        kinds = (ast.Lambda,) if name == "<lambda>" else _FUNCTIONS
        found = (node for node in ast.walk(self._tree) if isinstance(node, kinds))
        return [_span(node) for node in found if getattr(node, "name", name) == name]

    def loop(self, line: int) -> int | None:
        """The line at which the innermost loop around `line` begins, if it is in the innermost function."""
        inner = [span for span in self._loops if line in span]
        start = max((span.start for span in inner), default=None)
        if start is None or any(start < one.start and line in one for one in self._all_functions):
            return None
        return start

    @cached_property
    def docstrings(self) -> frozenset[int]:
        """The lines of functions' docstrings, except the first of each."""
        documented = (node for node in ast.walk(self._tree) if isinstance(node, _FUNCTIONS))
        firsts = (node.body[0] for node in documented if ast.get_docstring(node, clean=False) is not None)
        return frozenset(line for one in firsts for line in _span(one)[1:])

    @cached_property
    def _tree(self) -> ast.AST:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return ast.parse("\n".join(self.lines))
            except (SyntaxError, ValueError, RecursionError):
                return ast.Module([], [])

    @cached_property
    def _functions(self) -> list[range]:
        """The outermost ones: methods too, but nothing that is defined in a function."""
        return list(_outermost(self._tree))

    @cached_property
    def _all_functions(self) -> list[range]:
        return [_span(node) for node in ast.walk(self._tree) if isinstance(node, _FUNCTIONS)]

    @cached_property
    def _loops(self) -> list[range]:
        return [_span(node) for node in ast.walk(self._tree) if isinstance(node, _LOOPS)]


def _outermost(node: ast.AST) -> Iterator[range]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _FUNCTIONS):
            yield _span(child)
        elif not isinstance(child, ast.expr):
            yield from _outermost(child)


def _span(node: ast.stmt | ast.expr) -> range:
    decorators = getattr(node, "decorator_list", [])
    return range(
        min([node.lineno, *(one.lineno for one in decorators)]), (node.end_lineno or node.lineno) + 1
    )
