"""A piece of work that reads foreign bytes, done in a process of its own, with limits on time and memory."""

from __future__ import annotations

import os
import pickle
import select
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from jitinspect.devices.lifeline import Child, start
from jitinspect.errors import LoadError

Result = TypeVar("Result")
_GLANCE = 0.02
"""Seconds between two looks at the memory that the process has."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a process may take until it says that the bytes are understood (`files.worker.understood`):
    seconds, and bytes of memory. After that it does the user's own work, such as a compilation, for `after`
    seconds.
    """

    seconds: float = 60.0
    memory: int = 4 * 2**30
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """What the process is told. `work` is a function of no arguments, pickled."""

    work: bytes
    path: list[str] = field(default_factory=lambda: list(sys.path))
    argv: list[str] = field(default_factory=lambda: list(sys.argv))


@dataclass(frozen=True, slots=True)
class Understood:
    """Sent when the foreign bytes have been read."""


def carry_out(work: Callable[[], Result], what: str, limits: Limits = Limits()) -> Result:
    """`work()`, in a process of its own. `what` is what it reads, for messages.

    Raises the `JitinspectError` that `work` raises, and `LoadError` if the process ends by itself, or takes
    more than it may.
    """
    child = start("jitinspect.files.worker", environ=os.environ)
    try:
        child.send(Task(pickle.dumps(work)))
        answer = next_answer(child, what, limits.seconds, limits.memory)
        if isinstance(answer, Understood):
            answer = next_answer(child, what, limits.after, None)
    finally:
        child.end()
    if isinstance(answer, BaseException):
        raise answer
    result: Result = answer
    return result


def next_answer(child: Child, what: str, seconds: float | None, memory: int | None) -> Any:
    """What the process says next. Raises `LoadError` if it ends by itself, or takes more than it may."""
    end = None if seconds is None else time.monotonic() + seconds
    while not select.select([child.answers], [], [], _GLANCE)[0]:
        if end is not None and time.monotonic() > end:
            raise LoadError(f"{what} takes longer than {seconds:g} s to read")
        if memory is not None and child.pid is not None and _resident(child.pid) > memory:
            raise LoadError(f"{what} takes more than {memory / 2**20:.0f} MiB of memory to read")
    try:
        return pickle.load(child.answers)
    except EOFError:
        raise LoadError(f"{what} ends the process that reads it ({child.ending()})") from None


def _resident(pid: int) -> int:
    """Bytes of memory; 0 where the system does not tell (Linux does)."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0
