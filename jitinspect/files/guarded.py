"""A piece of work that reads foreign bytes, done in a process of its own, with limits on time and memory."""

from __future__ import annotations

import os
import pickle
import select
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from jitinspect.devices.lifeline import Child, start
from jitinspect.devices.worker import CHATTER
from jitinspect.errors import LoadError
from jitinspect.process.temporary_folders import temporary_folder

Result = TypeVar("Result")
_GLANCE = 0.02
"""Seconds between two looks at the memory that the process has."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a process may take to read foreign bytes: seconds and bytes of memory, from when it says that it
    begins (`files.worker.reading`) until it has understood them (`files.worker.understood`). To get there, by
    imports, it has `start` seconds; after that it does the user's own work, such as a compilation, for
    `after`.
    """

    seconds: float = 60.0
    memory: int = 4 * 2**30
    start: float = 120.0
    after: float | None = None

    @classmethod
    def of_size(cls, size: int) -> Limits:
        """For so many bytes: MLIR and XLA read 5 to 50 MB a second, into 5 to 30 times as much memory (jaxlib
        0.10.2 and 0.12.0.1); a JAX that has been imported takes 0.3 GB.
        """
        return cls(seconds=4 + size / 500_000, memory=450 * 2**20 + 60 * size)


@dataclass(frozen=True, slots=True)
class Task:
    """What the process is told. `work` is a function of no arguments, pickled."""

    work: bytes
    path: list[str] = field(default_factory=lambda: list(sys.path))
    argv: list[str] = field(default_factory=lambda: list(sys.argv))


class Progress(Enum):
    """What the process sends before its answer."""

    READING = "reading"
    UNDERSTOOD = "understood"


def carry_out(
    work: Callable[[], Result],
    what: str,
    limits: Limits = Limits(),
    on_chatter: Callable[[str], None] = lambda text: None,
) -> Result:
    """`work()`, in a process of its own, of which nothing is left. `what` is what it reads, for messages;
    `on_chatter` gets what native code printed.

    Raises the `JitinspectError` that `work` raises, and `LoadError` if the process ends by itself, or takes
    more than it may.
    """
    with temporary_folder() as folder:
        child = start("jitinspect.files.worker", folder, environ={**os.environ, "TMPDIR": folder})
        try:
            child.send(Task(pickle.dumps(work)))
            answer = _answer(child, what, limits)
        finally:
            child.end()
            on_chatter(_chatter(Path(folder) / CHATTER))
    if isinstance(answer, BaseException):
        raise answer
    result: Result = answer
    return result


def _answer(child: Child, what: str, limits: Limits) -> Any:
    answer = next_answer(child, what, limits.start, None)
    while isinstance(answer, Progress):
        is_reading = answer is Progress.READING
        seconds, memory = (limits.seconds, limits.memory) if is_reading else (limits.after, None)
        answer = next_answer(child, what, seconds, memory)
    return answer


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


def _chatter(file: Path) -> str:
    return file.read_text(errors="replace") if file.exists() else ""


def _resident(pid: int) -> int:
    """Bytes of memory; 0 where the system does not tell (Linux does)."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0
