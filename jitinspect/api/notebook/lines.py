"""What follows a magic's name: options, and the call that is inspected instead of made. Knows no IPython."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jitinspect.errors import UsageError

CELLS = ("compiles", "jitsource", "jitprofile")
"""Magics of a whole cell: `%%compiles`."""
STAGES = ("jaxpr", "stablehlo", "hlo")
READINGS = {"jitsource": "source", "jitprofile": "profile"}

_TRACED = {"--static": "static", "--donate": "donate", "--transform": "transforms"}
_ELSEWHERE = {"--target": "target", "--full": "full"}
_OPTIONS: dict[str, dict[str, str]] = {
    "compiles": {"-q": "quiet"},
    "jaxpr": _TRACED,
    "stablehlo": {**_TRACED, **_ELSEWHERE},
    "hlo": {**_TRACED, **_ELSEWHERE, "--before": "before"},
    "jitsource": {**_TRACED, **_ELSEWHERE},
    "jitprofile": _TRACED,
}
"""By magic: each option, and the keyword of the API that it sets."""
_FLAGS = {"quiet", "full", "before"}
_SEVERAL = {"static", "donate", "transforms"}
_OPTION = re.compile(r"\s*(--?[A-Za-z][\w-]*)(?:=(\S+))?(?=\s|$)")
_VALUE = re.compile(r"\s*(\S+)")


@dataclass(frozen=True, slots=True)
class Line:
    """`options` are keywords of the API, `text` is what they stood in front of."""

    options: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""


def parse(magic: str, line: str) -> Line:
    """Options first, then whatever else. Raises `UsageError` for an option that the magic does not have."""
    options: dict[str, Any] = {}
    position = 0
    while found := _OPTION.match(line, position):
        name, value, position = found[1], found[2], found.end()
        keyword = _keyword(magic, name)
        if keyword in _FLAGS:
            options[keyword] = True
            continue
        if value is None:
            if (following := _VALUE.match(line, position)) is None:
                raise UsageError(f"%{magic}: {name} needs a value", hint=f"%{magic} {name} … f(x)")
            value, position = following[1], following.end()
        if keyword in _SEVERAL:
            options[keyword] = (*options.get(keyword, ()), int(value) if value.isdigit() else value)
        else:
            options[keyword] = value
    return Line(options, line[position:].strip())


def _keyword(magic: str, name: str) -> str:
    known = _OPTIONS[magic]
    if name not in known:
        raise UsageError(f"%{magic} has no option {name}", hint=f"it has {', '.join(known)}")
    return known[name]


def call_of(magic: str, text: str) -> ast.Call:
    """The call that `text` is. Raises `UsageError` if it is none."""
    try:
        return the_call(magic, ast.parse(text, mode="eval").body)
    except SyntaxError as error:
        raise UsageError(f"%{magic}: {text!r} is not Python: {error.msg}", hint=f"%{magic} f(x)") from None


def the_call(magic: str, node: ast.AST) -> ast.Call:
    """`node`, or the expression that is the statement `node`. Raises `UsageError` if it is no call."""
    value = node.value if isinstance(node, ast.Expr) else node
    is_magic = isinstance(value, ast.Call) and ast.unparse(value.func).startswith("get_ipython().")
    if isinstance(value, ast.Call) and not is_magic:
        return value
    shown = "a magic" if is_magic else repr(ast.unparse(node).partition("\n")[0])
    is_name = isinstance(value, ast.Name | ast.Attribute)
    hint = f"{ast.unparse(value)}(…)" if is_name else "f(x)"
    raise UsageError(f"%{magic} inspects a call, which {shown} is not", hint=hint)


def passed_on(call: ast.Call, reader: str) -> ast.Call:
    """The call of what `reader`, an expression, gives: with the function itself, and then its arguments. All
    of them are evaluated, but the function is not called.
    """
    given = ast.parse(reader, mode="eval").body
    for node in ast.walk(given):
        ast.copy_location(node, call)
    return ast.copy_location(ast.Call(given, [call.func, *call.args], call.keywords), call)


def of_cell(lines: list[str]) -> bool:
    """Whether a cell begins with a magic of ours."""
    return bool(lines) and _CELL.match(lines[0]) is not None


_CELL = re.compile(rf"%%({'|'.join(CELLS)})\b")


def inspect_last(tree: ast.Module, reader: Callable[[str, str], str]) -> None:
    """In a cell whose first statement is the line of a reading, and that has others, the call that it ends
    with is passed on to `reader(magic, options)`. Raises `UsageError` if it ends with something else.
    """
    magic, line = _line_magic(tree.body[0]) if tree.body else ("", "")
    if magic not in READINGS or len(tree.body) == 1 or parse(magic, line).text:
        return
    last = tree.body[-1]
    tree.body[-1] = ast.copy_location(
        ast.Expr(passed_on(the_call(f"%{magic}", last), reader(magic, line))), last
    )
    del tree.body[0]


def _line_magic(statement: ast.stmt) -> tuple[str, str]:
    """What IPython makes of `%name line`: `get_ipython().run_line_magic('name', 'line')`."""
    value = statement.value if isinstance(statement, ast.Expr) else None
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "get_ipython().run_line_magic":
        name, line = (ast.literal_eval(argument) for argument in value.args)
        return name, line
    return "", ""
