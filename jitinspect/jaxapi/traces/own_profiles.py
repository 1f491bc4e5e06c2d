"""Profiles that a program makes itself, with `jax.profiler`: a recording must give way to them.

There is one profiler session at a time. One that begins during another only fails when it stops, so the other
must have ended before. `jax.profiler` makes all its sessions by the class that is replaced here, and listens
for remote requests by the function that is; seen on 0.8.3 to 0.12.0.1.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from jax._src import profiler as _profiler
from jax._src.lib import _profiler as _xla_profiler

_STOPPING = ("stop", "stop_and_export", "stop_and_get_profile_data")


@contextmanager
def told_of_own_profiles(
    began: Callable[[], None], ended: Callable[[], None], serves: Callable[[], None]
) -> Iterator[Callable[[], Any]]:
    """Calls `began` before each profile that the program makes, and `ended` after it, in the program's own
    thread, and `serves` before it starts a server for remote profiles, which may then come at any time: see
    `is_serving`. Yields the class of sessions that calls neither.
    """
    session, start_server = _xla_profiler.ProfilerSession, _xla_profiler.start_server

    def serving(*args: Any, **kwargs: Any) -> Any:
        serves()
        return start_server(*args, **kwargs)

    _xla_profiler.ProfilerSession = _telling(session, began, ended)
    _xla_profiler.start_server = serving
    try:
        yield session
    finally:
        _xla_profiler.ProfilerSession, _xla_profiler.start_server = session, start_server


def is_serving() -> bool:
    """Whether the program has a server for remote profiles; not yet while that starts."""
    return getattr(_profiler, "_profiler_server", None) is not None


def _telling(session: Any, began: Callable[[], None], ended: Callable[[], None]) -> Any:
    """The class of the program's sessions."""

    def begin(self: Any, *args: Any, **kwargs: Any) -> None:
        began()
        self._once = threading.Lock()
        session.__init__(self, *args, **kwargs)

    def end(self: Any) -> None:
        if self._once.acquire(blocking=False):
            ended()

    def stopping(name: str) -> Callable[..., Any]:
        def stop(self: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                return getattr(session, name)(self, *args, **kwargs)
            finally:
                end(self)

        return stop

    methods = {name: stopping(name) for name in _STOPPING if hasattr(session, name)}
    named = {"__module__": session.__module__, "__qualname__": session.__qualname__}
    return type(session.__name__, (session,), {**named, **methods, "__init__": begin, "__del__": end})
