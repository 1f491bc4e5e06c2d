"""The process that reads foreign bytes: it carries out a piece of work, and answers with its result."""

from __future__ import annotations

import gc
import pickle
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jitinspect.devices.lifeline import Parent
from jitinspect.devices.worker import CHATTER, Fault, keep_chatter_apart
from jitinspect.errors import JitinspectError
from jitinspect.files.guarded import Progress, Task

_TELL: list[Callable[[Progress], None]] = []
"""Who is told of progress; nobody in another process."""


def reading() -> None:
    """Says that from now on foreign bytes are read, within limits."""
    _say(Progress.READING)


def understood() -> None:
    """Says that the foreign bytes have been read, so that their limits end."""
    _say(Progress.UNDERSTOOD)


def _say(progress: Progress) -> None:
    for tell in _TELL:
        tell(progress)


def main() -> None:
    """Receives the work, and answers with its result, or the error that it raised."""
    gc.disable()  # until the work enables it
    parent = Parent.of_arguments()
    keep_chatter_apart(Path(sys.argv[1]) / CHATTER)
    task: Task = parent.receive()
    sys.path[:], sys.argv[:] = task.path, task.argv
    _TELL.append(parent.tell)
    parent.end_with()
    parent.answer(_carried_out(task))


def _carried_out(task: Task) -> Any:
    try:
        return pickle.loads(task.work)()
    except JitinspectError as error:
        return error
    except BaseException:
        return Fault(traceback.format_exc())
