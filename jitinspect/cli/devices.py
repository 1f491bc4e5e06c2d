"""`--target`: a command's work done in a worker, for each device that was named.

What only that needs is imported when there is one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from jitinspect.cli.ahead import taken
from jitinspect.cli.options import DeviceOptions, OutputOptions
from jitinspect.errors import UsageError
from jitinspect.jaxapi.version import import_jax
from jitinspect.model import AbsentDevice, Report

if TYPE_CHECKING:
    from jitinspect.devices.names import DeviceTarget
    from jitinspect.devices.waiting import Worker
    from jitinspect.model.fit import FitReport
    from jitinspect.model.readings import ReadingReport

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class DeviceRequest:
    """The devices to compile for; none for this machine. `weigh` as for `devices.session`; `worker` is one
    that waits for the first of them.
    """

    devices: tuple[DeviceTarget, ...] = ()
    full: bool = False
    timeout: float | None = None
    weigh: bool = False
    worker: Worker | None = None


def device_request(options: DeviceOptions, several: bool = True, weigh: bool = False) -> DeviceRequest:
    """Raises `UsageError` for a device that does not exist, for options that need `--target`, and for more
    than one device where the command does not take `several`.
    """
    devices = _devices_named(options.device)
    for option, given in (("--full", options.full), ("--timeout", options.timeout is not None)):
        if given and not devices:
            raise UsageError(f"{option} needs --target", hint="--target v5e")
    if len(devices) > 1 and not several:
        raise UsageError("this command takes one --target", hint="hlo, show, cost and fit take several")
    return DeviceRequest(devices, options.full, options.timeout, weigh)


def _devices_named(names: Sequence[str]) -> tuple[DeviceTarget, ...]:
    if not names:
        return ()
    from jitinspect.devices.names import parse_device

    return tuple(map(parse_device, dict.fromkeys(names)))


def guarded(core: Callable[[], Result], output: OutputOptions, file: str | None) -> Result:
    """`core()`, in a process of its own if it reads a file."""
    if file is None:
        return core()
    from jitinspect.files.guarded import Limits, carry_out

    with _line_cleared():
        return carry_out(core, file, Limits.of_size(_size(file)), partial(_show_chatter, output))


def check_core(file: str) -> None:
    """Read a file, and no more: what then reads it once more, in a worker for a device, is without limits."""
    import_jax()
    from jitinspect.files.opening import check

    check(Path(file))


def _size(file: str) -> int:
    """Of a file, or all files of a folder; 0 for what is not there."""
    from jitinspect.files.kinds import parts_of

    path, _ = parts_of(file)
    files = path.iterdir() if path.is_dir() else (path,)
    return sum(one.stat().st_size for one in files if one.is_file())


def _show_chatter(output: OutputOptions, text: str) -> None:
    if output.verbose and text:
        sys.stderr.write(text)


@contextmanager
def _line_cleared() -> Iterator[None]:
    """On a terminal, where a process may be stopped while it shows what it does."""
    from jitinspect.render.log import CLEAR_LINE

    try:
        yield
    except BaseException:
        if sys.stderr.isatty():
            sys.stderr.write(CLEAR_LINE)
        raise


def on_devices(
    asked: DeviceRequest, core: Callable[..., Result], output: OutputOptions, file: str | None = None
) -> list[Result]:
    """What `core(device=…, full=…)` gives for each device; here, without these, if none was named.

    Raises what `core` raises, and `UnavailableError` if there is no compiler for a device.
    """
    if not asked.devices:
        return [guarded(core, output, file)]
    if file is not None:
        guarded(partial(check_core, file), output, file)
    workers = (asked.worker, *[None] * len(asked.devices))
    return [
        _in_worker(asked, device, core, output, worker)
        for device, worker in zip(asked.devices, workers, strict=False)
    ]


def _in_worker(
    asked: DeviceRequest,
    device: DeviceTarget,
    core: Callable[..., Result],
    output: OutputOptions,
    worker: Worker | None,
) -> Result:
    from jitinspect.devices import session
    from jitinspect.devices.plugins import require_plugin

    require_plugin(device.device)
    work = partial(core, device=device, full=asked.full)
    on_chatter = partial(_show_chatter, output)
    worker = worker or taken()
    with _line_cleared():
        return session.carry_out(work, device, asked.full, asked.weigh, asked.timeout, on_chatter, worker)


def one_report(reports: list[Report]) -> Report:
    """The stages for all devices, one device after the other."""
    artifacts = tuple(artifact for report in reports for artifact in report.artifacts)
    events = tuple(event for report in reports for event in report.events)
    target = replace(reports[0].target, devices=_devices(reports))
    return replace(reports[0], target=target, artifacts=artifacts, events=events)


def tell_devices(report: Report, output: OutputOptions) -> None:
    """On stderr, beside texts that are JAX's own: what they were made for, and that it was not there."""
    if output.quiet or not any(artifact.stage == "hlo" for artifact in report.artifacts):
        return
    from jitinspect.render.text import compiled_for

    for device in report.target.devices:
        sys.stderr.write(f"note  {compiled_for(device)}\n")


def fit_of_all(reports: Sequence[FitReport]) -> FitReport:
    """How a call fits on each device, one after the other."""
    target = replace(reports[0].target, devices=_devices(reports))
    fits = tuple(fit for report in reports for fit in report.fit)
    events = tuple(event for report in reports for event in report.events)
    return replace(reports[0], target=target, fit=fits, events=events)


def one_reading(reports: Sequence[ReadingReport]) -> ReadingReport:
    """The costs for all devices side by side; of another reading, the only report."""
    if len(reports) == 1:
        return reports[0]
    from jitinspect.model.readings import CostReport
    from jitinspect.readings.merged_costs import merged

    report = merged([report for report in reports if isinstance(report, CostReport)])
    return replace(report, target=replace(report.target, devices=_devices(reports)))


def _devices(reports: Sequence[Report | ReadingReport | FitReport]) -> tuple[AbsentDevice, ...]:
    return tuple(device for report in reports for device in report.target.devices)
