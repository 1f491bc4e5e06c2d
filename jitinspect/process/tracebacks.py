"""Tracebacks as the user wants them: the program's own frames, without those of any machinery."""

from __future__ import annotations

import re
import runpy
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, TracebackType

from jitinspect.process.paths import is_installed

_MACHINERY = (
    ("jitinspect", ""), ("jax", ""), ("jaxlib", ""), ("importlib", ""), ("concurrent.futures", ""),
    ("equinox", "_jit.py"), ("equinox", "_module/"), ("flax.nnx", "transforms/"),
)  # fmt: skip
"""Loaded modules, and which part of their folder runs between a call and the user's function."""

_JAX_OWN = {"UnfilteredStackTrace", "SimplifiedTraceback"}  # JAX raises these only to carry its frames
_JAX_NOTE = "JAX has removed its internal frames"


def user_traceback(exc: BaseException, caller: FrameType | None = None) -> str:
    """`exc` as Python prints it, with its notes and causes, but without the frames of jitinspect,
    JAX, the import system, runpy, concurrent.futures, and the jit wrappers of equinox and flax.
    Ends without a newline.

    JAX's note about the frames it removed is dropped too: it says how to see frames that
    nobody asked for (seen in `__notes__`, jax 0.10.2 and 0.12.0.1). If no user frame
    is left, only the exception itself is printed.

    `caller` is the frame that called what raised. The program's frames down to it are put on top: an
    exception that is still propagating does not have them yet.
    """
    summary = traceback.TracebackException.from_exception(exc)
    summary.stack[:0] = traceback.StackSummary.extract(reversed(list(_outwards(caller))))
    _strip(summary, exc, machinery())
    return "".join(summary.format()).rstrip("\n")


def users_frames(found: TracebackType | None) -> TracebackType | None:
    """A traceback with the user's frames alone, as an object that others print."""
    hidden, kept = machinery(), []
    while found is not None:
        if not found.tb_frame.f_code.co_filename.startswith(hidden):
            kept.append(found)
        found = found.tb_next
    below: TracebackType | None = None
    for one in reversed(kept):
        below = TracebackType(below, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return below


_TRACEBACK = "Traceback (most recent call last):\n"
_FRAME = re.compile(r'  File "(.+?)", line \d+')


def traceback_in(message: str) -> str | None:
    """The traceback that the message of an error holds, as when a callback raised (jax 0.8.3 to 0.12.0.1);
    with the user's frames alone. Its last line is the exception. None if there is none.
    """
    _, found, printed = message.partition(_TRACEBACK)
    if not found:
        return None
    hidden = machinery()
    kept = []
    for line in printed.rstrip().split("\n"):
        frame = _FRAME.match(line)
        if frame is None or not (frame[1].startswith(hidden) or is_installed(frame[1])):
            kept.append(line)
    return found + "\n".join(kept)


_MOST_POINTS = 3


def message_of(error: BaseException) -> str:
    """`TypeError: …` in one line: the first line of its message, or, if that ends with a colon, what it
    announces.

    The mismatches of a `jax.stages.Compiled` called with other types are announced like that (jax 0.8.3 to
    0.12.0.1).
    """
    first, _, rest = str(error).partition("\n")
    announced = rest.strip().partition("\n\n")[0]
    if not first.rstrip().endswith(":") or not announced:
        return f"{type(error).__name__}: {first}"
    points = [line.strip().removeprefix("* ") for line in announced.split("\n")]
    more = f" (+{len(points) - _MOST_POINTS} more)" if len(points) > _MOST_POINTS else ""
    return f"{type(error).__name__}: {'; '.join(points[:_MOST_POINTS])}{more}"


def _outwards(frame: FrameType | None) -> Iterator[tuple[FrameType, int]]:
    """The frames from `frame` out to the program's outermost. Beyond that come jitinspect's runners; its
    hooks into JAX lie in between.
    """
    own = f"{_folder('jitinspect')}/"
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(own) and not file.startswith(f"{own}jaxapi/"):
            return
        yield frame, frame.f_lineno
        frame = frame.f_back


def machinery() -> tuple[str, ...]:
    """Prefixes of the machinery's file names, including the libraries that the program has loaded."""
    folders = (f"{_folder(name)}/{part}" for name, part in _MACHINERY if _folder(name))
    return (*folders, str(runpy.__file__), "<frozen importlib", "<frozen runpy")


def _folder(module: str) -> Path | None:
    file = getattr(sys.modules.get(module), "__file__", None)
    return Path(file).parent if file else None


def _strip(summary: traceback.TracebackException, exc: BaseException, hidden: tuple[str, ...]) -> None:
    """Strip `summary` in place; `exc` is the exception it was made from."""
    frames = [frame for frame in summary.stack if not frame.filename.startswith(hidden)]
    summary.stack = traceback.StackSummary.from_list(frames)
    if summary.__notes__:
        summary.__notes__ = [note for note in summary.__notes__ if _JAX_NOTE not in note]
    while exc.__cause__ is not None and type(exc.__cause__).__name__ in _JAX_OWN:
        summary.__cause__, exc = summary.__cause__ and summary.__cause__.__cause__, exc.__cause__
    summary.__cause__ = _stripped(summary.__cause__, exc.__cause__, hidden)
    summary.__context__ = _stripped(summary.__context__, exc.__context__, hidden)
    for child, member in zip(summary.exceptions or (), getattr(exc, "exceptions", ()), strict=False):
        _strip(child, member, hidden)


def _stripped(
    summary: traceback.TracebackException | None, exc: BaseException | None, hidden: tuple[str, ...]
) -> traceback.TracebackException | None:
    """The cause or context of an exception; None if only the machinery raised and caught it."""
    if summary is None or exc is None:
        return None
    raised = bool(summary.stack)
    _strip(summary, exc, hidden)
    return summary if summary.stack or not raised else None


def being_printed() -> bool:
    """Whether some thread is printing a traceback: that is done line by line, and what is written meanwhile
    gets in between.
    """
    return any(_prints(frame) for frame in sys._current_frames().values())  # noqa: SLF001 (documented)


def _prints(frame: FrameType | None) -> bool:
    """Whether a thread is in Python's `traceback`, or in a hook for uncaught exceptions, which prints."""
    while frame is not None:
        if frame.f_code.co_filename == traceback.__file__ or frame.f_code.co_name in _HOOKS:
            return True
        frame = frame.f_back
    return False


_HOOKS = {"invoke_excepthook", "call_excepthook"}
"""Of `threading`, and of `process.runner`: the hooks themselves are not written in Python."""
