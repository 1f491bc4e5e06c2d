"""Files that are already compiled, where a command needs more for them than for a function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from jitinspect.cli.core import explored, listening, opener_of, prepare_for_user_code
from jitinspect.cli.devices import DeviceRequest
from jitinspect.cli.options import OutputOptions
from jitinspect.cli.output import needs_environment
from jitinspect.cli.requests import file_of
from jitinspect.errors import LoadError, UsageError
from jitinspect.files.kinds import COMPILED, Kind, is_compressed, is_file_target, kind_of, parts_of
from jitinspect.jaxapi.version import import_jax

if TYPE_CHECKING:
    from jitinspect.devices.names import DeviceTarget
    from jitinspect.model.fit import FitReport

_TEXTS = (Kind.HLO, Kind.HLO_BEFORE, Kind.MLIR)


def compiled_file(fields: Mapping[str, Any]) -> str | None:
    """The file of a request, if that is already compiled. Raises `LoadError` for one of no known kind."""
    file = file_of(fields)
    kind = kind_of(parts_of(file)[0]) if file else None
    return file if kind in COMPILED or kind is Kind.DUMP else None


def holds_no_text(text: str) -> bool:
    """Whether this names a file that `diff` does not compare as a text: a proto, an executable, an entry of a
    cache, a module in a folder of dumps.
    """
    if not is_file_target(text):
        return False
    path, module = parts_of(text)
    try:
        kind = kind_of(path)
    except LoadError:
        return False
    if kind is Kind.DUMP:
        return module is not None or any(path.glob("*module_*"))
    return kind not in _TEXTS or is_compressed(path)


def refuse_devices(fields: Mapping[str, Any], devices: DeviceRequest) -> None:
    """Raises `UsageError` if a file that is already compiled is to be compiled for a device."""
    if (file := compiled_file(fields)) and devices.devices:
        raise UsageError(
            f"--target {devices.devices[0].text}: {file} is already compiled", hint="leave --target out"
        )


def fits_core(fields: dict[str, Any], devices: Sequence[DeviceTarget], output: OutputOptions) -> FitReport:
    """Whether it fits on each device, as it was compiled. Nothing is compiled."""
    import_jax()
    from jitinspect.jaxapi.devices import environment
    from jitinspect.readings.fit import read_compiled
    from jitinspect.stages import inspection

    prepare_for_user_code()
    request = inspection.Request(command="fit", stages=(), **fields)
    with listening(output) as listeners:
        reader = partial(read_compiled, devices=devices)
        report = inspection.read(request, explored(reader, output), listeners, opener_of(request.ref))
    return replace(report, environment=environment()) if needs_environment(output) else report
