"""The events of a recording, by `jax.profiler.ProfileData`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax

from jitinspect.errors import UnavailableError
from jitinspect.ir.trace import Event, Track, in_order

_NANO = 1e-9
_BEGAN = "profile_start_time"
"""A statistic of the plane `Task Environment`: nanoseconds since the epoch (seen on 0.8.3 to 0.12.0.1)."""


def tracks(xspace: bytes) -> list[Track]:
    """One for each thread and stream of which there are events. Raises `UnavailableError` if this JAX cannot
    read its own recordings.
    """
    data = _read(xspace)
    with _quiet():
        found = [
            Track(plane.name, line.name, in_order(map(_event, line.events)))
            for plane in data.planes
            for line in plane.lines
        ]
    return [track for track in found if track.events]


def began(xspace: bytes) -> float:
    """When the trace's clock was 0, in seconds since the epoch. Raises `UnavailableError` if not told."""
    with _quiet():
        known = [dict(plane.stats).get(_BEGAN) for plane in _read(xspace).planes]
    for nanoseconds in known:
        if nanoseconds is not None:
            return float(nanoseconds) * _NANO
    raise UnavailableError("this JAX does not say when its profiler began")


def _read(xspace: bytes) -> Any:
    if not hasattr(jax.profiler, "ProfileData"):
        raise UnavailableError("this JAX cannot read recordings of its profiler")
    return jax.profiler.ProfileData.from_serialized_xspace(xspace)


@contextmanager
def _quiet() -> Iterator[None]:
    """On 0.12.0.1 under Python 3.13, the types of `ProfileData` have no `__module__`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _event(event: Any) -> Event:
    start = event.start_ns * _NANO
    return Event(event.name, start, start + event.duration_ns * _NANO, dict(event.stats))
