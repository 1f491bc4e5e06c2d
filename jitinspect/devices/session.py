"""A piece of work done in a worker, of which nothing is left: no process, no file, whatever happens."""

from __future__ import annotations

import os
import pickle
import select
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from jitinspect.devices.lifeline import Child, start
from jitinspect.devices.names import DeviceTarget
from jitinspect.devices.quiet import FULL_DISK, quiet_environment
from jitinspect.devices.worker import CHATTER, Fault
from jitinspect.errors import CompileError, JitinspectError, UnavailableError

Result = TypeVar("Result")
_ATTEMPTS, _PAUSE = 100, 0.01
"""Times that the removal of a folder is tried, and the seconds between."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker is told. `work` is a function of no arguments, pickled; the modules that it needs are
    found by `path`.
    """

    work: bytes
    device: DeviceTarget
    full: bool
    weigh: bool
    folder: str
    path: list[str] = field(default_factory=lambda: list(sys.path))
    argv: list[str] = field(default_factory=lambda: list(sys.argv))


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that imports JAX, and then waits for its one task; it writes to a folder of its own."""

    folder: str
    child: Child

    @classmethod
    def started(cls) -> Worker:
        """Raises `UnavailableError` where there is no place for its folder."""
        folder = _temporary_folder()
        try:
            environ = quiet_environment(os.environ, folder)
            child = start("jitinspect.devices.worker", folder, environ=environ)
            child.send(sys.path)
        except BaseException:
            _remove(folder)
            raise
        return cls(folder, child)

    def is_waiting(self) -> bool:
        """Whether it has neither ended nor been used."""
        return not select.select([self.child.answers], [], [], 0)[0]

    def end(self) -> None:
        """Nothing is left of it."""
        self.child.end()
        _remove(self.folder)


def carry_out(
    work: Callable[[], Result],
    device: DeviceTarget,
    full: bool = False,
    weigh: bool = False,
    timeout: float | None = None,
    on_chatter: Callable[[str], None] = lambda text: None,
    worker: Worker | None = None,
) -> Result:
    """`work()`, in a process whose compilations are for `device`, to their end if `full`; `weigh` is for what
    may not fit it.

    `on_chatter` gets what the compilers printed. A `worker` that was started before is used up. Raises the
    `JitinspectError` that `work` raises, and `CompileError` if it takes more than `timeout` seconds, or its
    process ends.
    """
    worker = worker or Worker.started()
    try:
        worker.child.send(Task(pickle.dumps(work), device, full, weigh, worker.folder))
        answer: Result = _answer(worker.child, device, timeout)
        return answer
    finally:
        worker.child.end()
        on_chatter(_chatter(Path(worker.folder)))
        _remove(worker.folder)


def _remove(folder: str) -> None:
    """A process that was killed a moment ago still ends the call to the system that it is in, and may so
    write one more file, for which a removal fails half-way.
    """
    for _ in range(_ATTEMPTS):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.exists(folder):
            break
        time.sleep(_PAUSE)


def _temporary_folder() -> str:
    try:
        return tempfile.mkdtemp(prefix="jitinspect-")
    except OSError as error:
        raise UnavailableError(f"no temporary folder can be made: {error.strerror}", hint=FULL_DISK) from None


def _answer(child: Child, device: DeviceTarget, timeout: float | None) -> Any:
    if not select.select([child.answers], [], [], timeout)[0]:
        raise CompileError(
            f"it took longer than {timeout:g} s for {device.text}", hint="a longer --timeout, or none"
        )
    try:
        answer = pickle.load(child.answers)
    except EOFError:
        raise _crashed(child, device) from None
    if isinstance(answer, Fault):
        raise answer
    if isinstance(answer, JitinspectError):
        raise answer
    return answer


def _crashed(child: Child, device: DeviceTarget) -> CompileError:
    told = f"the worker for {device.text} ended with {child.ending()}"
    return CompileError(told, hint="-v shows what it printed")


def _chatter(folder: Path) -> str:
    file = folder / CHATTER
    return file.read_text(errors="replace") if file.exists() else ""
