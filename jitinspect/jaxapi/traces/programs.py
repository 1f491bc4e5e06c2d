"""The programs that a recording holds: the optimized HLO of each, with its Python lines.

XLA's profiler adds the modules of all live executables as metadata of a plane that has no events, by names
such as `jit_f(20)`, whose number the events have as `program_id`. `ProfileData` does not give them, so the
messages are read by field numbers, as `xplane.proto` and `hlo.proto` of OpenXLA have them. Seen on 0.10.2 and
0.12.0.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jax._src.lib import xla_client as _xla_client  # type: ignore[attr-defined]

from jitinspect.errors import UnavailableError
from jitinspect.ir.wire_format import fields, repeated

_PLANE_OF_PROGRAMS = b"/host:metadata"
_NUMBERED = re.compile(r"\((\d+)\)$")


def programs(xspace: bytes) -> dict[int, bytes]:
    """`program_id` → serialized `HloModuleProto`."""
    found: dict[int, bytes] = {}
    for plane in repeated(xspace, 1):
        if repeated(plane, 2) == [_PLANE_OF_PROGRAMS]:
            found.update(_of_plane(plane))
    return found


def _of_plane(plane: bytes) -> Iterator[tuple[int, bytes]]:
    """Each item of the map of `XEventMetadata`: its name, and a statistic that is an `HloProto`."""
    for item in repeated(plane, 4):
        metadata = dict(fields(item)).get(2, b"")
        name = b"".join(repeated(metadata, 2)).decode(errors="replace")
        number = _NUMBERED.search(name)
        protos = (value for stat in repeated(metadata, 5) for kind, value in fields(stat) if kind == 6)
        module = next((one for proto in protos for one in repeated(proto, 1)), None)
        if number and module is not None:
            yield int(number[1]), module


def hlo_text(module: bytes) -> str:
    """In the form of `Compiled.as_text()`. Raises `UnavailableError` if this jaxlib cannot print it."""
    printer: Any = _hlo_module()
    text: str = printer.from_serialized_hlo_module_proto(module).to_string()
    return text


def _hlo_module() -> Any:
    """`HloModule`: in `jaxlib._hlo` from 0.10 on, and before in `xla_client._xla`."""
    try:
        from jaxlib import _hlo  # type: ignore[attr-defined]

        return _hlo.HloModule
    except (ImportError, AttributeError):
        found = getattr(getattr(_xla_client, "_xla", None), "HloModule", None)
        if found is None:
            raise UnavailableError("this jaxlib does not print HLO protos") from None
        return found
