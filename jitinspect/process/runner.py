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
    """How a program ended: its exit code as Python gives it, and, if it stopped early, why."""

    exit_code: int = 0
    stopped: str | None = None


@dataclass(frozen=True, slots=True)
class Program:
    """What `python` would run: `name` is `sys.argv[0]`, `path` is `sys.path`, `attributes` are those of
    `__main__`.
    """

    code: CodeType
    name: str
    path: tuple[str, ...]
    attributes: Mapping[str, Any]


def script(path: Path) -> Program:
    """`python path`. Raises `LoadError` if the file cannot be read or does not parse."""
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
    """`python -m name`; for a package, its `__main__`. Raises `LoadError` if there is no such module."""
    before = list(sys.path)
    sys.path[:] = _search_path(os.getcwd())
    try:
        spec, code = _found(name)
        path = tuple(sys.path)  # its package may have added to it
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
        message = f"-m {name}: {type(error).__name__} while it was loaded"
        raise LoadError(message, detail=user_traceback(error)) from None
    if spec is None:
        raise LoadError(f"-m {name}: no such module")
    if code is None:
        raise LoadError(f"-m {name}: this module has no Python code")
    return spec, code


def run(
    program: Program, argv: Sequence[str] = (), on_raise: Callable[[BaseException], None] | None = None
) -> Outcome:
    """Run it to its end, threads included. What it raises is printed on stderr, with the user's own frames,
    or passed to `on_raise`.
    """
    with _as_main(program, argv) as main:
        try:
            outcome = _executed(program.code, main, on_raise or _print_traceback)
            _join_threads()
        except KeyboardInterrupt as error:
            if on_raise is not None:
                on_raise(error)
            return Outcome(INTERRUPTED, "interrupted")
        finally:  # so that the program's output comes before any report on it
            with suppress(OSError, ValueError, AttributeError):  # the program may have closed or removed it
                sys.stdout.flush()
    return outcome


def call_excepthook(error: BaseException) -> None:
    """What the interpreter does with an uncaught exception: it calls `sys.excepthook`, which the program may
    have replaced, and which may choose the exit code. In that case SystemExit is raised.
    """
    uncaught = _without_own_frames(error)
    try:
        sys.excepthook(type(uncaught), uncaught, uncaught.__traceback__)
    except SystemExit:
        raise
    except BaseException as in_hook:
        for title, each in (("Error in sys.excepthook:", in_hook), ("\nOriginal exception was:", uncaught)):
            sys.stderr.write(f"{title}\n")
            sys.__excepthook__(type(each), _without_own_frames(each), each.__traceback__)


def _without_own_frames(error: BaseException) -> BaseException:
    """`error`, with a traceback that begins at the program's first frame."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_frame.f_code.co_filename == __file__:
        traceback = traceback.tb_next
    return error.with_traceback(traceback)


def _print_traceback(error: BaseException) -> None:
    sys.stderr.write(user_traceback(error) + "\n")


def _executed(code: CodeType, main: ModuleType, on_raise: Callable[[BaseException], None]) -> Outcome:
    """Raises nothing but KeyboardInterrupt."""
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
    except SystemExit as exit_:
        return _exited(exit_)
    return Outcome(1, f"the program raised {type(error).__name__}")


def _exited(error: SystemExit) -> Outcome:
    """As the interpreter does it: None is 0; text goes to stderr and is 1."""
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
    shadowed = _remove_shadowed(program.path[0]) if program.path else {}
    try:
        yield main
    finally:
        sys.argv, sys.path[:], sys.modules["__main__"], sys.excepthook = before
        sys.modules.update(shadowed)


def _remove_shadowed(folder: str) -> dict[str, ModuleType]:
    """Take modules that jitinspect has imported, such as `typer`, out of `sys.modules` while the program
    runs, if its own folder has a module of the same name: that is the one the program means.
    """
    own = {path.stem if path.suffix == ".py" else path.name for path in Path(folder or ".").iterdir()}
    names = [name for name in sys.modules if name.partition(".")[0] in own & _FOREIGN]
    return {name: sys.modules.pop(name) for name in names}


_FOREIGN = {"typer", "rich", "click", "shellingham", "markdown_it", "pygments", "typing_extensions"}
"""Packages that the command line is built on."""


def _search_path(first: str) -> list[str]:
    """`sys.path` with the program's folder, symlinks resolved, in place of the entry that Python put first
    for jitinspect: the folder of its command, or with `python -m` the current one. `python -P` adds neither.
    """
    if sys.flags.safe_path:
        return list(sys.path)
    own = getattr(sys.modules["__main__"], "__file__", None)
    firsts = {os.getcwd(), os.path.dirname(os.path.realpath(own)) if own else ""}
    others = sys.path[1:] if sys.path and sys.path[0] in firsts else sys.path
    return [first, *others]


def _join_threads() -> None:
    """However a program ends, the interpreter first waits for its non-daemon threads. Those of a pool wait
    for work until the pool is shut down.
    """
    threads = [one for one in threading.enumerate() if one is not threading.current_thread()]
    waited_for = [one for one in threads if not one.daemon]
    if waited_for and (pools := sys.modules.get("concurrent.futures.thread")):
        for pool in [one for one in gc.get_objects() if issubclass(type(one), pools.ThreadPoolExecutor)]:
            pool.shutdown()
    for thread in waited_for:
        thread.join()
