"""Tracebacks as the user wants them: the frames of the user's program, and of no machinery."""

from __future__ import annotations

import runpy
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

_MACHINERY = (
    ("jitinspect", ""), ("jax", ""), ("jaxlib", ""), ("importlib", ""), ("concurrent.futures", ""),
    ("equinox", "_jit.py"), ("equinox", "_module/"), ("flax.nnx", "transforms/"),
)  # fmt: skip
"""Loaded modules, and which part of their folder stands between a call and the user's function."""

_JAX_OWN = {"UnfilteredStackTrace", "SimplifiedTraceback"}  # raised by JAX to carry its frames only
_JAX_NOTE = "JAX has removed its internal frames"


def user_traceback(exc: BaseException, caller: FrameType | None = None) -> str:
    """`exc` as Python prints it, with its notes and causes, without the frames of jitinspect,
    JAX, the import system, runpy and concurrent.futures, nor those by which equinox and flax
    jit. Ends without a newline.

    JAX's notice of the frames that it removed goes too: it says how to see frames that
    nobody asked for (seen in `__notes__`, jax 0.10.2 and 0.12.0.1). Where no user frame
    is left, only the exception itself is told.

    With `caller`, the frame that called what raised, the program's frames down to there stand above: an
    exception that is still on its way has none of them yet.
    """
    told = traceback.TracebackException.from_exception(exc)
    told.stack[:0] = traceback.StackSummary.extract(reversed(list(_outwards(caller))))
    _strip(told, exc, machinery())
    return "".join(told.format()).rstrip("\n")


def _outwards(frame: FrameType | None) -> Iterator[tuple[FrameType, int]]:
    """The frames from `frame` to the program's outermost: jitinspect's runners stand further out, its watch
    of JAX in between.
    """
    own = f"{_folder('jitinspect')}/"
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(own) and not file.startswith(f"{own}jaxapi/"):
            return
        yield frame, frame.f_lineno
        frame = frame.f_back


def machinery() -> tuple[str, ...]:
    """File name prefixes, those of libraries only as far as the program has loaded them."""
    folders = (f"{_folder(name)}/{part}" for name, part in _MACHINERY if _folder(name))
    return (*folders, str(runpy.__file__), "<frozen importlib", "<frozen runpy")


def _folder(module: str) -> Path | None:
    file = getattr(sys.modules.get(module), "__file__", None)
    return Path(file).parent if file else None


def _strip(told: traceback.TracebackException, exc: BaseException, hidden: tuple[str, ...]) -> None:
    """Strips `told` in place; `exc` is the exception that it was made from."""
    frames = [frame for frame in told.stack if not frame.filename.startswith(hidden)]
    told.stack = traceback.StackSummary.from_list(frames)
    if told.__notes__:
        told.__notes__ = [note for note in told.__notes__ if _JAX_NOTE not in note]
    while exc.__cause__ is not None and type(exc.__cause__).__name__ in _JAX_OWN:
        told.__cause__, exc = told.__cause__ and told.__cause__.__cause__, exc.__cause__
    told.__cause__ = _stripped(told.__cause__, exc.__cause__, hidden)
    told.__context__ = _stripped(told.__context__, exc.__context__, hidden)
    for child, member in zip(told.exceptions or (), getattr(exc, "exceptions", ()), strict=False):
        _strip(child, member, hidden)


def _stripped(
    told: traceback.TracebackException | None, exc: BaseException | None, hidden: tuple[str, ...]
) -> traceback.TracebackException | None:
    """What an exception came from: None where the machinery alone raised it and caught it."""
    if told is None or exc is None:
        return None
    raised = bool(told.stack)
    _strip(told, exc, hidden)
    return told if told.stack or not raised else None
