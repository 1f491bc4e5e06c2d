"""Runs a Python program as `python script.py` or `python -m module` would: its `sys.argv`, `__main__` and
`sys.path[0]`.
"""

from __future__ import annotations

import builtins
import gc
import importlib.util
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from jitinspect.errors import INTERRUPTED, LoadError
from jitinspect.process.tracebacks import user_traceback


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended: its exit code as Python gives it, and if it was not by its last line, how."""

    exit_code: int = 0
    stopped: str | None = None


@dataclass(frozen=True, slots=True)
class Program:
    """What `python` would run: `name` is the first word of its `sys.argv`, `path` its search path,
    `attributes` those of its `__main__`.
    """

    code: CodeType
    name: str
    path: tuple[str, ...]
    attributes: Mapping[str, Any]


def script(path: Path) -> Program:
    """`python path`. Raises `LoadError` where there is none, or it does not parse."""
    try:
        code = compile(path.read_bytes(), str(path.absolute()), "exec", dont_inherit=True)
    except OSError as error:
        raise LoadError(f"{path} cannot be read: {error.strerror}") from None
    except (SyntaxError, ValueError) as error:
        line = f":{error.lineno}" if isinstance(error, SyntaxError) else ""
        message = error.msg if isinstance(error, SyntaxError) else str(error)
        raise LoadError(f"{path}{line}: {message}", detail=user_traceback(error)) from None
    file = str(path.absolute())
    attributes = {"__file__": file, "__cached__": None, "__loader__": SourceFileLoader("__main__", file)}
    return Program(code, str(path), tuple(_search_path(str(path.resolve().parent))), attributes)


def module(name: str) -> Program:
    """`python -m name`; of a package its `__main__`. Raises `LoadError` where no such module."""
    before = list(sys.path)
    sys.path[:] = _search_path(os.getcwd())
    try:
        spec, code = _found(name)
        path = tuple(sys.path)  # to which its package may have added
    finally:
        sys.path[:] = before
    attributes = {
        "__file__": spec.origin, "__cached__": spec.cached, "__loader__": spec.loader,
        "__package__": spec.parent, "__spec__": spec,
    }  # fmt: skip
    return Program(code, str(spec.origin), path, attributes)


def _found(name: str) -> tuple[ModuleSpec, CodeType]:
    """Finding a submodule imports its package, as `python -m` does."""
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{name}.__main__")
        get_code = getattr(spec.loader, "get_code", None) if spec is not None else None
        code = get_code(spec.name) if spec is not None and get_code is not None else None
    except (ImportError, ValueError, AttributeError) as error:
        raise LoadError(f"-m {name}: {error}") from None
    except Exception as error:  # what its package raised, or a module that does not parse
        message = f"-m {name}: {type(error).__name__} when it was loaded"
        raise LoadError(message, detail=user_traceback(error)) from None
    if spec is None:
        raise LoadError(f"-m {name}: no such module")
    if code is None:
        raise LoadError(f"-m {name}: this module has no code of Python's")
    return spec, code


def run(
    program: Program, argv: Sequence[str] = (), on_raise: Callable[[BaseException], None] | None = None
) -> Outcome:
    """Run it to its end, threads included. What it raises is told on stderr, by the user's own frames, or
    to `on_raise`.
    """
    with _as_main(program, argv) as main:
        try:
            outcome = _executed(program.code, main, on_raise or _tell)
            _join_threads()
        except KeyboardInterrupt as error:
            if on_raise is not None:
                on_raise(error)
            return Outcome(INTERRUPTED, "interrupted")
        finally:  # what it printed comes before what is told of it
            with suppress(OSError, ValueError, AttributeError):  # the program may have closed it, or taken it
                sys.stdout.flush()
    return outcome


def as_python_tells(error: BaseException) -> None:
    """What the interpreter does with an exception that nobody caught: the program may have a hook for it,
    which may end the program with an exit code of its own. Raises SystemExit then.
    """
    told = _without_own_frames(error)
    try:
        sys.excepthook(type(told), told, told.__traceback__)
    except SystemExit:
        raise
    except BaseException as in_hook:
        for words, each in (("Error in sys.excepthook:", in_hook), ("\nOriginal exception was:", told)):
            sys.stderr.write(f"{words}\n")
            sys.__excepthook__(type(each), _without_own_frames(each), each.__traceback__)


def _without_own_frames(error: BaseException) -> BaseException:
    """The traceback begins with the program's first frame."""
    traced = error.__traceback__
    while traced is not None and traced.tb_frame.f_code.co_filename == __file__:
        traced = traced.tb_next
    return error.with_traceback(traced)


def _tell(error: BaseException) -> None:
    sys.stderr.write(user_traceback(error) + "\n")


def _executed(code: CodeType, main: ModuleType, on_raise: Callable[[BaseException], None]) -> Outcome:
    """Raises KeyboardInterrupt alone."""
    try:
        exec(code, main.__dict__)
    except SystemExit as error:
        return _exited(error)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return _raised(error, on_raise)
    return Outcome()


def _raised(error: BaseException, on_raise: Callable[[BaseException], None]) -> Outcome:
    try:
        on_raise(error)
    except SystemExit as ended:
        return _exited(ended)
    return Outcome(1, f"the program raised {type(error).__name__}")


def _exited(error: SystemExit) -> Outcome:
    """As the interpreter does: None is 0, a text goes to stderr and is 1."""
    if not error.code and (error.code is None or isinstance(error.code, int)):
        return Outcome()
    if isinstance(error.code, int):
        return Outcome(error.code, f"the program called sys.exit({error.code})")
    sys.stderr.write(f"{error.code}\n")
    return Outcome(1, f"the program called sys.exit({error.code!r})")


@contextmanager
def _as_main(program: Program, argv: Sequence[str]) -> Iterator[ModuleType]:
    main = ModuleType("__main__")
    main.__dict__.update(__builtins__=builtins, **program.attributes)
    main.__annotations__ = {}
    before = sys.argv, list(sys.path), sys.modules["__main__"], sys.excepthook
    sys.path[:] = program.path
    sys.excepthook = sys.__excepthook__  # Typer has its own
    sys.argv = [program.name, *argv]
    sys.modules["__main__"] = main
    shadowed = _taken_out(program.path[0]) if program.path else {}
    try:
        yield main
    finally:
        sys.argv, sys.path[:], sys.modules["__main__"], sys.excepthook = before
        sys.modules.update(shadowed)


def _taken_out(folder: str) -> dict[str, ModuleType]:
    """Modules that jitinspect has imported, such as `typer`, and that are others for the program: in its own
    folder stands one of that name. They are no more to be found, until the program is over.
    """
    own = {path.stem if path.suffix == ".py" else path.name for path in Path(folder or ".").iterdir()}
    names = [name for name in sys.modules if name.partition(".")[0] in own & _FOREIGN]
    return {name: sys.modules.pop(name) for name in names}


_FOREIGN = {"typer", "rich", "click", "shellingham", "markdown_it", "pygments", "typing_extensions"}
"""What the command line is made of."""


def _search_path(first: str) -> list[str]:
    """The program's folder, its links followed, in the place of what Python put first for jitinspect itself:
    the folder of its command, or with `python -m` the current one. With `python -P` there is neither.
    """
    if sys.flags.safe_path:
        return list(sys.path)
    own = getattr(sys.modules["__main__"], "__file__", None)
    firsts = {os.getcwd(), os.path.dirname(os.path.realpath(own)) if own else ""}
    others = sys.path[1:] if sys.path and sys.path[0] in firsts else sys.path
    return [first, *others]


def _join_threads() -> None:
    """The interpreter waits for the threads that are no daemons, before it says that the program is over:
    however it ends. Those of a pool wait for work, until they are told that there will be none.
    """
    threads = [one for one in threading.enumerate() if one is not threading.current_thread()]
    waited_for = [one for one in threads if not one.daemon]
    if waited_for and (pools := sys.modules.get("concurrent.futures.thread")):
        for pool in [one for one in gc.get_objects() if issubclass(type(one), pools.ThreadPoolExecutor)]:
            pool.shutdown()
    for thread in waited_for:
        thread.join()
