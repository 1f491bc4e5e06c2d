"""JAX's profiler: a session records events and programs, and only one at a time can be on."""

import jax
import jax.numpy as jnp
import pytest

from jitinspect.errors import UnavailableError
from jitinspect.ir.trace import nested
from jitinspect.jaxapi.traces.events import tracks
from jitinspect.jaxapi.traces.programs import hlo_text, programs
from jitinspect.jaxapi.traces.recording import recorded, why_not


def squares(x):
    return jnp.tanh(x @ x)


@pytest.fixture(scope="module")
def compiled():
    return jax.jit(squares).lower(jnp.ones((64, 64))).compile()


@pytest.fixture(scope="module")
def xspace(compiled):
    x = jnp.ones((64, 64))
    compiled(x).block_until_ready()
    with recorded() as recording:
        compiled(x).block_until_ready()
    return recording.xspace


def operations(xspace):
    nodes = (node for track in tracks(xspace) for outer in nested(track.events) for node in outer.within())
    return [node.event for node in nodes if "hlo_op" in node.event.stats]


def test_each_operation_of_a_call_has_an_event(xspace, compiled):
    found = operations(xspace)
    assert {event.stats["hlo_module"] for event in found} == {"jit_squares"}
    assert "wrapped_tanh" in {event.name for event in found}
    assert all(f"%{event.name} = " in compiled.as_text() for event in found)
    assert all(0 < event.seconds < 10 for event in found)


def test_the_program_is_known_by_the_number_that_its_events_have(xspace, compiled):
    (number,) = {event.stats["program_id"] for event in operations(xspace)}
    assert comparable(hlo_text(programs(xspace)[number])) == comparable(compiled.as_text())


def comparable(text):
    """Without the head, and without the settings of backends, whose order is not always the same."""
    return [line.partition(", backend_config=")[0] for line in text.splitlines()[1:]]


def test_the_phases_of_a_compilation_are_recorded():
    lowered = jax.jit(squares).lower(jnp.ones((32, 32)))
    with recorded() as recording:
        lowered.compile()
    names = {event.name for track in tracks(recording.xspace) for event in track.events}
    assert {"CpuCompiler::RunBackend", "FusionCompiler::Compile", "algsimp"} <= names


def test_a_recording_within_another_fails():
    with recorded(), pytest.raises(UnavailableError, match="ALREADY_EXISTS"), recorded():
        pass


def test_a_profile_of_the_program_is_left_alone(tmp_path):
    jax.profiler.start_trace(str(tmp_path))
    try:
        with pytest.raises(UnavailableError, match="records a profile itself"), recorded():
            pass
    finally:
        jax.profiler.stop_trace()
    assert why_not() is None
