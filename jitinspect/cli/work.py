"""The work of a command that makes a report: once, or whenever a file of the user's is saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from jitinspect.cli.devices import DeviceRequest, on_devices
from jitinspect.cli.options import OutputOptions
from jitinspect.cli.output import emitted

Reports = list[Any]
Core = Callable[..., Any]


def _alone(reports: Reports) -> Any:
    (report,) = reports
    return report


def _nothing(report: Any) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Work:
    """How the report of a command is made: by `core`, here or in a worker for each device, and then `joined`.

    `fields` are those of the request, `file` is its target if that is one. `introduced` is called before the
    report is printed, and `ended` after that: it raises `CheckFailed` if the report is not as asked. Where
    `compares_text`, two reports are compared line by line.
    """

    core: Core
    _: KW_ONLY
    command: str
    output: OutputOptions
    fields: Mapping[str, Any]
    file: str | None
    devices: DeviceRequest = field(default_factory=DeviceRequest)
    joined: Callable[[Reports], Any] = _alone
    introduced: Callable[[Any], None] = _nothing
    ended: Callable[[Any], None] = _nothing
    compares_text: bool = False

    def report(self) -> Any:
        """Raises the errors of `on_devices`."""
        return self.joined(self.reports(self.core))

    def reports(self, core: Core) -> list[Any]:
        """What `core` gives for each device."""
        return on_devices(self.devices, core, self.output, self.file)


def carry_out(work: Work, watch: bool) -> None:
    """Make the report and print it; with `watch`, make it again whenever a file is saved, until Ctrl-C."""
    with emitted(work.output) as emit:
        if watch:
            from jitinspect.cli.watch import watched
            from jitinspect.cli.watch_output import Shown

            watched(work, Shown(work, emit))
            return
        report = work.report()
        work.introduced(report)
        emit(report)
    work.ended(report)
