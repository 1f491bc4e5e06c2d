"""What JAX looks for in its cache folder, and whether it writes it, from its events and the frames above.

JAX logs why it does not write, but only at DEBUG: the reason is found from what it decides by. The key and
the callbacks, and of a hit its times, are locals of `compiler.compile_or_get_cached` (0.8.3 to 0.12.0.1).
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping
from types import FrameType
from typing import Any

from jax._src import compiler as _compiler

from jitinspect.jaxapi.calls.events import CACHE_LOOKUP
from jitinspect.jaxapi.keys.disk_cache import SUFFIX, Miss, folder, path_of, why_not_written
from jitinspect.model.runs import HIT, WRITTEN, DiskLookup

_COMPILE = getattr(getattr(_compiler, "compile_or_get_cached", None), "__code__", None)


class DiskWrites(threading.local):
    """Gets the events of this thread: `begin` before each compilation, and those of the cache by `on_cache`
    and `on_hit`.
    """

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self._miss: Miss | None = None
        self._hit: DiskLookup | None = None
        self._since, self._tried = 0.0, False

    def on_cache(self, event: str) -> None:
        """Called by a listener of `events.subscribe`."""
        if event != CACHE_LOOKUP:
            self._tried = True
        elif folder():
            self._miss, self._since = _looked_for(), time.monotonic()

    def on_hit(self) -> None:
        """Likewise."""
        variables = _compiler_variables()
        read, compiled = (variables.get(name) for name in ("cache_retrieval_time", "retrieved_compile_time"))
        self._hit = DiskLookup(_file(str(variables.get("cache_key", ""))), HIT, compiled, read)

    def lookup(self, seconds: float) -> DiskLookup | None:
        """What became of the compilation that has just ended, and took `seconds`: whether it was found,
        `WRITTEN`, or why it was not written. None if there is no cache folder.
        """
        if self._hit is not None or not folder():
            return self._hit
        outcome = why_not_written(self._miss, time.monotonic() - self._since, self._tried) or WRITTEN
        return DiskLookup(_file(self._miss.key) if self._miss else "", outcome, seconds)


def _file(key: str) -> str:
    return f"{key}{SUFFIX}" if key else ""


def _looked_for() -> Miss:
    """From the frames above the listener."""
    variables = _compiler_variables()
    key = str(variables.get("cache_key", ""))
    path = path_of(key)
    return Miss(key, bool(variables.get("host_callbacks")), path is not None and path.exists())


def _compiler_variables() -> Mapping[str, Any]:
    """Of the frame that looks into the cache, above the listener."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code is not _COMPILE:
        frame = frame.f_back
    return frame.f_locals if frame is not None else {}
