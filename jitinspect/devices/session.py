"""A piece of work done in a worker, of which nothing is left: no process, no file, whatever happens."""

from __future__ import annotations

import os
import pickle
import select
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from jitinspect.devices.lifeline import Child
from jitinspect.devices.names import DeviceTarget
from jitinspect.devices.waiting import Worker
from jitinspect.devices.worker import CHATTER, Fault
from jitinspect.errors import CompileError, JitinspectError

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker is told. `work` is a function of no arguments, pickled; the modules that it needs are
    found by `path`.
    """

    work: bytes
    device: DeviceTarget
    full: bool
    weigh: bool
    path: list[str] = field(default_factory=lambda: list(sys.path))
    argv: list[str] = field(default_factory=lambda: list(sys.argv))


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
        with suppress(BrokenPipeError):  # it has ended, as its answer tells
            worker.child.send(_loaded(device, full))
            worker.child.send(Task(pickle.dumps(work), device, full, weigh))
        answer: Result = _answer(worker.child, device, timeout)
        return answer
    finally:
        worker.child.end()
        on_chatter(_chatter(Path(worker.folder)))
        worker.remove_folder()


def _loaded(device: DeviceTarget, full: bool) -> tuple[str, str, dict[str, Any], bool]:
    """What a compile process loads, and whether it is to warm up, from which only a TPU's gains. It is not to
    where the compiler's own time was asked for, or its files, among which another program would be found.
    """
    asked = " ".join(os.environ.get(name, "") for name in ("XLA_FLAGS", "LIBTPU_INIT_ARGS"))
    warms = device.platform == "tpu" and not full and "dump" not in asked
    return device.platform, device.topology, dict(device.topology_options), warms


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
