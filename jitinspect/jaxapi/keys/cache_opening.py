"""An entry's file → whether JAX makes an executable of it, as it would do in a program.

The steps are those of `compilation_cache.get_executable_and_time` (0.8.3 to 0.12.0.1). To be done in a
process that may be lost: XLA aborts on some damaged executables.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jax._src import compilation_cache as _compilation_cache
from jax._src import xla_bridge as _xla_bridge
from jax._src.lib import xla_client as _xla_client  # type: ignore[attr-defined]

from jitinspect.errors import first_line
from jitinspect.jaxapi.devices import ensure_cpu_devices

_LONGEST = 300
"""Characters of a message: some of XLA's repeat the bytes that they are about."""
CPU_DEVICES = 256
"""An entry for several CPU devices, as tests use them, can be opened where JAX has all of them."""


def opener(platform: str | None) -> Callable[[str], str | None]:
    """A function from a path to why JAX does not open that entry, None if it does. Starts the backend of the
    platform, the default one if it is None. Raises `RuntimeError` if there is none.
    """
    if platform == "cpu":
        ensure_cpu_devices(CPU_DEVICES)
    backend: Any = _xla_bridge.get_backend(platform)
    devices: Any = _xla_client.DeviceList(tuple(backend.local_devices()[:1]))

    def open_entry(path: str) -> str | None:
        try:
            entry = _compilation_cache.decompress_executable(Path(path).read_bytes())
            executable, _ = _compilation_cache.extract_executable_and_time(entry)
            backend.deserialize_executable(executable, devices, None)
        except Exception as error:  # of zlib, zstandard and XLA
            return _shortened(first_line(error))
        return None

    return open_entry


def _shortened(line: str) -> str:
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
