"""`fit`: of a target for each device, or of a file that is already compiled for all at once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from jitinspect.cli.compiled_files import compiled_file, fits_core
from jitinspect.cli.core import fit_core
from jitinspect.cli.devices import DeviceRequest, fit_of_all
from jitinspect.cli.options import OutputOptions
from jitinspect.cli.requests import file_of
from jitinspect.cli.work import Work
from jitinspect.errors import CheckFailed

if TYPE_CHECKING:
    from jitinspect.model.fit import FitReport


def fit_work(
    fields: dict[str, Any],
    devices: DeviceRequest,
    output: OutputOptions,
    ranges: dict[str, range],
    check: bool,
) -> Work:
    """With `check`, raises `CheckFailed` at its end if it does not fit on one of the devices."""
    is_compiled = compiled_file(fields) is not None
    core = partial(fits_core, dict(fields), devices.devices, output)
    return Work(
        core if is_compiled else partial(fit_core, fields, output, ranges),
        command="fit",
        output=output,
        fields=fields,
        file=file_of(fields),
        devices=DeviceRequest() if is_compiled else devices,
        joined=fit_of_all,
        ended=_check if check else lambda report: None,
    )


def _check(report: FitReport) -> None:
    if missed := [one.target for one in report.fit if not one.fits]:
        raise CheckFailed(f"it does not fit on {', '.join(missed)}")
