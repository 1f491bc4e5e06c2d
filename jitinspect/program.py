"""Runs a Python program as `python script.py` would: its `sys.argv`, `__main__` and `sys.path[0]`."""

from __future__ import annotations

import builtins
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from jitinspect.errors import LoadError
from jitinspect.tracebacks import user_traceback

INTERRUPTED = 130


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
            exec(code, module.__dict__)
            _join_threads()
        except SystemExit as error:
            return _exited(error)
        except KeyboardInterrupt:
            return Outcome(INTERRUPTED, "interrupted")
        except BaseException as error:
            sys.stderr.write(user_traceback(error) + "\n")
            return Outcome(1, f"the program raised {type(error).__name__}")
        finally:  # what it printed comes before what is told of it
            with suppress(OSError, ValueError):
                sys.stdout.flush()
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
    sys.excepthook = sys.__excepthook__  # Typer has its own
    sys.argv = [str(path), *argv]
    sys.path.insert(0, str(path.absolute().parent))
    sys.modules["__main__"] = module
    try:
        yield module
    finally:
        sys.argv, sys.path[:], sys.modules["__main__"], sys.excepthook = before


def _join_threads() -> None:
    """The interpreter waits for the threads that are no daemons, before it says that the program is over."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
