"""The magics themselves, and what they hook into: how IPython reads a cell, and the end of one.

A cell magic of ours becomes a line of the cell that it stands in. So IPython runs the cell as usual: its
lines keep their numbers, its errors are shown as always, and what it ends with is its output.
"""

from __future__ import annotations

import ast
import re
import sys
import traceback
import types
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from IPython.core.error import InputRejected
from IPython.core.inputtransformer2 import cell_magic
from IPython.core.magic import needs_local_scope, no_var_expand
from IPython.display import display

from jitinspect.api.notebook import lines
from jitinspect.api.notebook.cells import CellCompilations
from jitinspect.errors import JitinspectError, UserFunctionError
from jitinspect.ir.attribution import is_users
from jitinspect.jaxapi.version import required
from jitinspect.process import import_hooks, paths
from jitinspect.process.tracebacks import users_frames
from jitinspect.programs.summary import Summary
from jitinspect.render.errors import error_line

if TYPE_CHECKING:
    from jitinspect.programs.parts import WatchedParts

Made = TypeVar("Made")
Shown = TypeVar("Shown", bound=BaseException)

_NUMBERED = re.compile(r"<ipython-input-(\d+)-")
_SINCE = " since %load_ext jitinspect"


class Session:
    """One shell with the extension. JAX is watched from the moment it is imported, so that a compilation can
    be compared with all that came before, in whatever cell.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._open = ExitStack()
        self._watch: WatchedParts | None = None
        self._failure: Exception | None = None
        self._is_asked = False
        self._quiet = False

    def open(self) -> None:
        shell, closing = self._shell, self._open.callback
        paths.name_cells(self._name_of_cell)
        closing(paths.name_cells, paths.no_cell)
        for kind, name, magic in self._magics():
            shell.register_magic_function(magic, kind, name)
            closing(shell.magics_manager.magics[kind].pop, name, None)
        shell.input_transformers_cleanup.append(as_line_magic)
        closing(shell.input_transformers_cleanup.remove, as_line_magic)
        shell.ast_transformers.append(InspectLast)
        closing(shell.ast_transformers.remove, InspectLast)
        shell.events.register("post_run_cell", self._ran)
        closing(shell.events.unregister, "post_run_cell", self._ran)
        JitinspectError._render_traceback_ = _below_its_lines  # type: ignore[attr-defined]
        closing(delattr, JitinspectError, "_render_traceback_")
        since = _SINCE if "jax" in sys.modules else ""
        self._open.enter_context(import_hooks.when_imported("jax", partial(self._begin_watch, since)))

    def close(self) -> None:
        self._open.close()

    def _magics(self) -> Iterator[tuple[str, str, Callable[..., Any]]]:
        yield "line", "compiles", self._compiles
        for name in (*lines.STAGES, *lines.READINGS):
            yield "line", name, _line_magic(name, self._shell)
        for name in lines.CELLS:
            yield "cell", name, _cell_magic(name, self._shell)

    def ignoring(self) -> AbstractContextManager[None]:
        """Around what jitinspect itself makes JAX do."""
        return self._watch.watcher.ignoring() if self._watch else nullcontext()

    def _name_of_cell(self, file: str) -> str | None:
        """IPython's `In[3]`, also for a cell that is run again under another number."""
        number = getattr(self._shell.compile, "_filename_map", {}).get(file)  # 8.0 to 9.18
        if number is None and (found := _NUMBERED.match(file)):  # 7.34
            number = found[1]
        return f"cell [{number}]" if number is not None else None

    def _begin_watch(self, since: str) -> None:
        """JAX has been imported. That must not fail because of us."""
        try:
            with required():
                from jitinspect.programs.parts import WatchedParts

            self._watch = WatchedParts(since)
            self._open.enter_context(self._watch)
            if self._is_asked:  # by the cell that imports JAX
                self._watch.begin(list(self._namespaces()))
        except Exception as error:
            self._failure = error

    def _namespaces(self) -> Iterator[MutableMapping[str, Any]]:
        """The user's own, and those of the user's modules in it."""
        yield self._shell.user_ns
        for value in list(self._shell.user_ns.values()):
            file = getattr(value, "__file__", None) if isinstance(value, types.ModuleType) else None
            if file and is_users(file):
                yield vars(value)

    @no_var_expand
    def _compiles(self, line: str) -> None:
        """Say what this cell compiles from here on, and why. With -q only if it compiles something."""
        if self._failure is not None:
            told(self._fail)
        self._quiet = bool(told(lambda: lines.parse("compiles", line)).options)
        if self._is_asked:
            return
        self._is_asked = True
        if self._watch is not None:
            self._watch.begin(list(self._namespaces()))

    def _fail(self) -> None:
        assert self._failure is not None
        raise self._failure

    def _ran(self, result: Any) -> None:
        """A cell has ended."""
        asked, self._is_asked = self._is_asked, False
        if not asked:
            return
        name = f"cell [{result.execution_count}]"
        if self._watch is None:
            report = Summary().report(name, 0.0)
        else:
            report = self._watch.end(name)
            if self._watch.watcher.fault is not None:
                raise RuntimeError("bug in jitinspect, please report it") from self._watch.watcher.fault
        if report.compilations or not self._quiet:
            display(CellCompilations(report))


session: Session | None = None


def load(shell: Any) -> None:
    global session
    session = Session(shell)
    session.open()


def unload(shell: Any) -> None:
    global session
    if session is not None:
        session.close()
        session = None


def as_line_magic(cell: list[str]) -> list[str]:
    """`%%compiles` → `%compiles`, a line of the cell. Another magic of the whole cell may follow."""
    if not lines.of_cell(cell):
        return cell
    first, *rest = cell
    return [first[1:], *(cell_magic(rest) if rest and rest[0].startswith("%%") else rest)]


class InspectLast:
    """An AST transformer: `%%jitsource` and `%%jitprofile` inspect the call that their cell ends with."""

    @staticmethod
    def visit(tree: ast.Module) -> ast.Module:
        try:
            lines.inspect_last(tree, _expression)
        except JitinspectError as error:
            raise in_one_line(InputRejected(error.message), error) from None
        return tree


def _line_magic(magic: str, shell: Any) -> Callable[..., Any]:
    """`%hlo f(x)` and the like."""

    @no_var_expand
    @needs_local_scope
    def run(line: str, local_ns: dict[str, Any] | None = None) -> Any:
        __tracebackhide__ = True
        text = told(lambda: lines.parse(magic, line)).text
        call = told(lambda: lines.call_of(magic, text))
        options = line.removesuffix(text) if text else line
        passed = ast.fix_missing_locations(ast.Expression(lines.passed_on(call, _expression(magic, options))))
        file = shell.compile.cache(text, len(shell.history_manager.input_hist_parsed) - 1)
        return eval(compile(passed, file, "eval"), shell.user_global_ns, local_ns)

    run.__doc__ = (
        f"What `jitinspect {lines.READINGS.get(magic, magic)}` says of a call: %{magic} [options] f(x)."
    )
    return run


def _cell_magic(magic: str, shell: Any) -> Callable[[str, str], None]:
    """For whoever calls it by its name: a cell that begins with it is run as `as_line_magic` has it."""

    @no_var_expand
    def run(line: str, cell: str) -> None:
        shell.run_cell(f"%{magic} {line}\n{cell}")

    run.__doc__ = _CELL_MAGICS[magic]
    return run


_CELL_MAGICS = {
    "compiles": "Say what this cell compiled, and why. With -q only if it compiled something.",
    "jitsource": "The lines of the function whose call this cell ends with, and what each became.",
    "jitprofile": "Where the time of the call goes that this cell ends with, by line.",
}


def _expression(magic: str, options: str) -> str:
    """What gives the reader in a cell's code, without a name there that could be in the way."""
    return f"__import__('sys').modules[{__name__!r}].reader({magic!r}, {options!r})"


def reader(magic: str, line: str) -> Callable[..., Any]:
    """What is called instead of the user's function, with that and its arguments."""
    options = told(lambda: lines.parse(magic, line)).options

    def read(function: Any, /, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        with session.ignoring() if session else nullcontext():
            return told(lambda: _read(magic, function, (args, kwargs), dict(options)))

    return read


def _read(magic: str, function: Any, call: Any, options: dict[str, Any]) -> Any:
    with required():
        from jitinspect.api.inspecting import inspected, reading_of

    if magic in lines.READINGS:
        return reading_of(lines.READINGS[magic], function, call, **options)
    stage = f"{magic}-before" if options.pop("before", False) else magic
    return inspected(function, call, stages=[stage], **options)


def told(work: Callable[[], Made]) -> Made:
    """What `work` makes. An error of ours is shown by its message and hint; one of the user's function
    by IPython, with the frames of the user's code.
    """
    __tracebackhide__ = True
    try:
        return work()
    except UserFunctionError as error:
        found = error.__cause__ or in_one_line(error, error)
    except JitinspectError as error:
        found = in_one_line(error, error)
    raise found.with_traceback(users_frames(found.__traceback__))


def in_one_line(shown: Shown, error: JitinspectError) -> Shown:
    """`shown`, which IPython then shows as `error` is."""
    shown._render_traceback_ = lambda: [error_line(error)]  # type: ignore[attr-defined]
    return shown


def _below_its_lines(error: JitinspectError) -> list[str]:
    """How IPython shows an error of ours: in one line, and if it is not the cell itself that asked, below the
    lines of the user's that did.
    """
    frames = traceback.extract_tb(error.__traceback__)
    users = [frame for frame in frames if is_users(frame.filename)]
    places = (f"{paths.relative(f'{frame.filename}:{frame.lineno}')}  {frame.line}" for frame in users)
    return [*(places if len(users) > 1 else ()), error_line(error)]
