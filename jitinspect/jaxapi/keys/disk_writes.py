"""Whether JAX writes each compilation to its cache folder, from its events and the frames above them.

JAX logs why it does not write, but only at DEBUG: the reason is found from what it decides by. The key and
the callbacks are locals of `compiler.compile_or_get_cached` (0.8.3 to 0.12.0.1).
"""

from __future__ import annotations

import sys
import threading
import time
from types import FrameType

from jax._src import compiler as _compiler

from jitinspect.jaxapi.calls.events import CACHE_LOOKUP
from jitinspect.jaxapi.keys.disk_cache import Miss, folder, path_of, why_not_written
from jitinspect.model.runs import WRITTEN

_COMPILE = getattr(getattr(_compiler, "compile_or_get_cached", None), "__code__", None)


class DiskWrites(threading.local):
    """Gets the events of this thread: `begin` before each compilation, `on_cache` for those of the cache."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self._miss: Miss | None = None
        self._since, self._tried = 0.0, False

    def on_cache(self, event: str) -> None:
        """Called by a listener of `events.subscribe`."""
        if event != CACHE_LOOKUP:
            self._tried = True
        elif folder():
            self._miss, self._since = _looked_for(), time.monotonic()

    def outcome(self) -> str | None:
        """What became of the compilation that has just ended, and was not found on disk: `WRITTEN`, or why it
        was not written. None if there is no cache folder.
        """
        if not folder():
            return None
        return why_not_written(self._miss, time.monotonic() - self._since, self._tried) or WRITTEN


def _looked_for() -> Miss:
    """From the frames above the listener."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code is not _COMPILE:
        frame = frame.f_back
    variables = frame.f_locals if frame is not None else {}
    key = str(variables.get("cache_key", ""))
    path = path_of(key)
    return Miss(key, bool(variables.get("host_callbacks")), path is not None and path.exists())
