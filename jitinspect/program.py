"""Runs a Python program as `python script.py` would: its `sys.argv`, `__main__` and `sys.path[0]`."""

from __future__ import annotations

import builtins
import gc
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from jitinspect.errors import INTERRUPTED, LoadError
from jitinspect.tracebacks import user_traceback


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended: its exit code as Python gives it, and if it was not by its last line, how."""

    exit_code: int = 0
    stopped: str | None = None


def compiled(path: Path) -> CodeType:
    """The code of a program. Raises `LoadError` where there is none, or it does not parse."""
    try:
        return compile(path.read_bytes(), str(path.absolute()), "exec", dont_inherit=True)
    except OSError as error:
        raise LoadError(f"{path} cannot be read: {error.strerror}") from None
    except (SyntaxError, ValueError) as error:
        line = f":{error.lineno}" if isinstance(error, SyntaxError) else ""
        message = error.msg if isinstance(error, SyntaxError) else str(error)
        raise LoadError(f"{path}{line}: {message}", detail=user_traceback(error)) from None


def run(code: CodeType, path: Path, argv: Sequence[str] = ()) -> Outcome:
    """Run it to its end, threads included. What it raises is told on stderr, by the user's own frames."""
    with _as_main(path, argv) as module:
        try:
            outcome = _executed(code, module)
            _join_threads()
        except KeyboardInterrupt:
            return Outcome(INTERRUPTED, "interrupted")
        finally:  # what it printed comes before what is told of it
            with suppress(OSError, ValueError):
                sys.stdout.flush()
    return outcome


def _executed(code: CodeType, module: ModuleType) -> Outcome:
    """Raises KeyboardInterrupt alone."""
    try:
        exec(code, module.__dict__)
    except SystemExit as error:
        return _exited(error)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        sys.stderr.write(user_traceback(error) + "\n")
        return Outcome(1, f"the program raised {type(error).__name__}")
    return Outcome()


def _exited(error: SystemExit) -> Outcome:
    """As the interpreter does: None is 0, a text goes to stderr and is 1."""
    if error.code is None or isinstance(error.code, int):
        return Outcome(error.code or 0, f"the program called sys.exit({error.code if error.code else ''})")
    sys.stderr.write(f"{error.code}\n")
    return Outcome(1, f"the program called sys.exit({error.code!r})")


@contextmanager
def _as_main(path: Path, argv: Sequence[str]) -> Iterator[ModuleType]:
    module = ModuleType("__main__")
    file = str(path.absolute())
    loader = SourceFileLoader("__main__", file)
    module.__dict__.update(__file__=file, __builtins__=builtins, __cached__=None, __loader__=loader)
    module.__annotations__ = {}
    before = sys.argv, list(sys.path), sys.modules["__main__"], sys.excepthook
    sys.path[:] = _search_path(path)
    sys.excepthook = sys.__excepthook__  # Typer has its own
    sys.argv = [str(path), *argv]
    sys.modules["__main__"] = module
    try:
        yield module
    finally:
        sys.argv, sys.path[:], sys.modules["__main__"], sys.excepthook = before


def _search_path(path: Path) -> list[str]:
    """The program's folder, its links followed, in the place of what Python put first for jitinspect itself:
    the folder of its command, or with `python -m` the current one. With `python -P` there is neither.
    """
    if sys.flags.safe_path:
        return list(sys.path)
    own = getattr(sys.modules["__main__"], "__file__", None)
    firsts = {os.getcwd(), os.path.dirname(os.path.realpath(own)) if own else ""}
    others = sys.path[1:] if sys.path and sys.path[0] in firsts else sys.path
    return [str(path.resolve().parent), *others]


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
