"""`ir.xspace` reads of a recording what `jax.profiler.ProfileData` does."""

import jax
import jax.numpy as jnp
import pytest

from jitinspect.ir.xspace import operation_tracks, recorded_seconds
from jitinspect.jaxapi.traces.events import tracks
from jitinspect.jaxapi.traces.recording import recorded

NUMBERS = ("_p", "_c")
"""Read as they are written."""


@pytest.fixture(scope="module")
def xspace():
    @jax.jit
    def looping(x):
        return jax.lax.fori_loop(0, 5, lambda i, x: jnp.sin(x @ x) + i, x)

    x = looping(jnp.ones((32, 32)))
    with recorded() as recording:
        looping(x).block_until_ready()
    return recording.xspace


def told(found):
    return {
        (track.name, event.name, round(event.start, 9), round(event.seconds, 9), plain(event.stats))
        for track in found
        for event in track.events
        if "hlo_op" in event.stats or event.name.startswith("end: ")
    }


def plain(stats):
    return tuple(sorted((name, str(value)) for name, value in stats.items() if name not in NUMBERS))


def test_the_same_operations(xspace):
    found = told(operation_tracks(xspace))
    assert len(found) > 10
    assert found == told(tracks(xspace))


def test_an_event_and_its_end_have_one_number(xspace):
    events = [event for track in operation_tracks(xspace) for event in track.events]
    begun = {event.stats["_p"]: event.name for event in events if "_p" in event.stats}
    ended = {event.stats["_c"]: event.name for event in events if event.name.startswith("end: ")}
    both = begun.keys() & ended.keys()  # an event may be recorded too late
    assert len(both) > 5 and all(ended[number] == f"end: {begun[number]}" for number in both)


def test_the_whole_time(xspace):
    events = [event for track in operation_tracks(xspace) for event in track.events]
    assert recorded_seconds(xspace) >= max(event.end for event in events) - min(e.start for e in events)
