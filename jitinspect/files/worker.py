"""The process that reads foreign bytes: it carries out a piece of work, and answers with its result."""

from __future__ import annotations

import pickle
import sys
import traceback
from collections.abc import Callable
from typing import Any

from jitinspect.devices.lifeline import Parent
from jitinspect.devices.worker import Fault
from jitinspect.errors import JitinspectError
from jitinspect.files.guarded import Task, Understood

_ON_UNDERSTOOD: list[Callable[[], None]] = []


def understood() -> None:
    """Says that the foreign bytes have been read, so that their limits end. Nothing in another process."""
    for tell in _ON_UNDERSTOOD:
        tell()


def main() -> None:
    """Receives the work, and answers with its result, or the error that it raised."""
    parent = Parent.of_arguments()
    task: Task = parent.receive()
    sys.path[:], sys.argv[:] = task.path, task.argv
    _ON_UNDERSTOOD.append(lambda: parent.tell(Understood()))
    parent.end_with()
    parent.answer(_carried_out(task))


def _carried_out(task: Task) -> Any:
    try:
        return pickle.loads(task.work)()
    except JitinspectError as error:
        return error
    except BaseException:
        return Fault(traceback.format_exc())
