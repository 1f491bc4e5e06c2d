"""What events of a CPU's operations say, and when their ends are recorded."""

import jax
import jax.numpy as jnp
import pytest

from jitinspect.jaxapi.traces.events import tracks
from jitinspect.jaxapi.traces.recording import await_last_events, recorded


def chain(x):
    def body(carry, _):
        return jnp.tanh(carry @ x) + jnp.sort(carry), None

    return jnp.cumsum(jax.lax.scan(body, x, None, length=4)[0], axis=0)


@pytest.fixture(scope="module")
def found():
    x = jnp.ones((300, 300))
    jitted = jax.jit(chain)
    jitted(x).block_until_ready()
    with recorded() as recording:
        for _ in range(20):
            jitted(x).block_until_ready()
        await_last_events()
    return tracks(recording.xspace)


def operations(found):
    return [event for track in found for event in track.events if "hlo_op" in event.stats]


def ends(found):
    return [(event, track) for track in found for event in track.events if event.name.startswith("end: ")]


def test_operations_tell_their_program_run_and_device(found):
    stats = [event.stats for event in operations(found)]
    assert {one["hlo_module"] for one in stats} == {"jit_chain"}
    assert {one["device_ordinal"] for one in stats} == {0}
    assert len({one["program_id"] for one in stats}) == 1
    assert len({one["run_id"] for one in stats}) == 20


def test_each_operation_has_one_end_by_its_number(found):
    begun = {event.stats["_p"]: event for event in operations(found)}
    ended = {event.stats["_c"]: event for event, _ in ends(found)}
    assert begun.keys() == ended.keys() and len(begun) == len(operations(found))
    assert all(ended[number].name == f"end: {event.name}" for number, event in begun.items())
    assert all(ended[number].start >= event.start for number, event in begun.items())


def test_an_end_on_another_thread_lies_in_a_region_of_work(found):
    """Where work goes to other threads at all, which depends on their load."""
    at = {
        event.stats["_p"]: track.name for track in found for event in track.events if "hlo_op" in event.stats
    }
    for event, track in ends(found):
        if track.name != at[event.stats["_c"]]:
            regions = [one.start for one in track.events if one.name == "ThreadpoolListener::StartRegion"]
            assert regions and min(regions) <= event.start


def test_a_mark_of_the_program_is_an_event(found):
    with recorded() as recording, jax.profiler.TraceAnnotation("a mark of its own"):
        jnp.sin(jnp.ones(3)).block_until_ready()
    names = {event.name for track in tracks(recording.xspace) for event in track.events}
    assert "a mark of its own" in names
