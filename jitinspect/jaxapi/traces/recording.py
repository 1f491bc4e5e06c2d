"""A recording of JAX's profiler, kept in memory.

`jax.profiler.start_trace` and `stop_trace` use the same session, but write files, which takes 0.06 to 0.13 s
and leaves a folder; the session alone takes less than a millisecond (0.8.3 to 0.12.0.1).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import jax
from jax._src import profiler as _profiler
from jax._src import xla_bridge as _xla_bridge
from jax._src.lib import _profiler as _xla_profiler

from jitinspect.errors import UnavailableError

_SESSIONS = ("profile_session", "session")
"""Where JAX keeps its only session: up to 0.11, and from 0.12 on."""
_LAST_EVENTS = 0.03
"""Seconds to wait for them: on a busy machine they were up to 10 ms late."""
MARK = "jitinspect: compile"
"""The name of the event that stands for all of a timed piece of work, on the thread that does it."""


class Recording:
    """`xspace` is the recording as a serialized `XSpace` (`xplane.proto` of OpenXLA), once it has ended."""

    def __init__(self) -> None:
        self.xspace = b""


class Session:
    """A recording of all threads, from its making until it is stopped."""

    def __init__(self, session: Any = None) -> None:
        """`session` is the class of XLA's sessions, if `jax.profiler` has another one now."""
        self._session = (session or _xla_profiler.ProfilerSession)(_options())

    def stop(self) -> bytes:
        """The recording. A session that began during another one fails only here, with ALREADY_EXISTS (seen
        on 0.8.3 to 0.12.0.1): raises `UnavailableError`.
        """
        try:
            xspace: bytes = self._session.stop()
            return xspace
        except RuntimeError as error:
            raise UnavailableError(f"the profiler recorded nothing: {error}") from None


@contextmanager
def recorded() -> Iterator[Recording]:
    """Records what happens in all threads inside the `with`.

    Raises `UnavailableError` if another recording is under way, or this JAX has no such session.
    """
    if why := why_not():
        raise UnavailableError(why)
    recording = Recording()
    session = Session()
    try:
        yield recording
    finally:
        recording.xspace = session.stop()


class TimedRecording:
    """Records a piece of work, the last one that is done inside it: `seconds` are by Python's clock."""

    def __init__(self) -> None:
        self.recording = Recording()
        self.seconds = 0.0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with recorded() as self.recording:
            with marked():
                began = time.perf_counter()
                yield
                self.seconds = time.perf_counter() - began
            await_last_events()


def marked() -> AbstractContextManager[Any]:
    """The event that stands for all that the calling thread does inside it."""
    return jax.profiler.TraceAnnotation(MARK)


def await_last_events() -> None:
    """XLA's threads end theirs shortly after they have let a compilation go on, and what has not ended is not
    recorded.
    """
    time.sleep(_LAST_EVENTS)


def why_not() -> str | None:
    """Why nothing can be recorded now."""
    if not hasattr(_xla_profiler, "ProfilerSession") or not hasattr(jax.profiler, "ProfileOptions"):
        return "this JAX has no profiler session"
    state = getattr(_profiler, "_profile_state", None)
    if any(getattr(state, name, None) is not None for name in _SESSIONS):
        return "the program records a profile itself, and there can only be one at a time"
    return None


def is_blind() -> bool:
    """Whether a session that began before the backend did misses its devices: all but a CPU's are recorded by
    what their plugin brings.
    """
    return any(name != "cpu" for name in _xla_bridge.backends())


def _options() -> Any:
    """XLA's own events, not Python's."""
    options = jax.profiler.ProfileOptions()
    options.host_tracer_level = 2
    options.python_tracer_level = 0
    return options
