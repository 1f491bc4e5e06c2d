"""A compilation, recorded: XLA's events by their names, and the files that tell of LLVM."""

import time

import jax
import jax.numpy as jnp
import pytest
from jax._src import compilation_cache

from jitinspect.errors import CompileError, UnavailableError
from jitinspect.ir.trace import nested
from jitinspect.jaxapi.traces import events, recording
from jitinspect.jaxapi.traces.compilation import timed
from jitinspect.jaxapi.traces.recording import MARK, recorded
from jitinspect.readings.timings import xla_phases
from tests.support.measured import one_of_three_runs

MATRIX = jax.ShapeDtypeStruct((32, 32), jnp.float32)


def several(x):
    """A few kernels, a product, a loop, and a comparator of its own."""
    y = jax.lax.fori_loop(0, 3, lambda i, c: jnp.tanh(c @ x) + i, x)
    return jnp.sort(jnp.sin(x) * 2), jnp.cumsum(y), y.sum()


@pytest.fixture(scope="module")
def made():
    return timed(jax.jit(several).lower(MATRIX))


def all_events(made):
    nodes = (node for track in made.tracks for outer in nested(track.events) for node in outer.within())
    return [node.event for node in nodes]


@one_of_three_runs
def test_the_outermost_event_is_as_long_as_by_pythons_clock():
    made = timed(jax.jit(several).lower(MATRIX))
    (mark,) = (event for event in all_events(made) if event.name == MARK)
    assert mark.seconds == pytest.approx(made.seconds, rel=0.05)
    inner = [event for event in all_events(made) if event.name == xla_phases.CALL]
    assert [mark.start <= event.start and event.end <= mark.end for event in inner] == [True]


def test_the_names_of_xlas_events_are_known(made):
    names = {event.name for event in all_events(made)}
    assert {xla_phases.KERNEL, xla_phases.LLVM_MODULE, *xla_phases.CPU_WAITING} <= names
    assert len(names & {*xla_phases.COMPILING}) == 1
    of_module = "" if jax.__version_info__ < (0, 10) else " (jit_several)"
    for pipeline in ("HLO passes through layout assignment", "HLO passes after layout assignment"):
        assert pipeline + of_module in names


def test_each_kernel_has_a_module_whose_file_was_written_while_llvm_worked(made):
    compiled = [event for event in all_events(made) if event.name == xla_phases.LLVM_MODULE]
    modules = {event.stats["module"] for event in all_events(made) if event.name == xla_phases.KERNEL}
    assert modules and modules <= {one.module for one in made.kernels}
    for one in made.kernels:
        assert any(event.start <= one.begun + 0.005 and one.written <= event.end for event in compiled), one


def test_the_functions_of_a_module_are_among_its_strings(made):
    text = made.compiled.as_text()
    left = [one for one in made.kernels if one.module.startswith("part_")]
    assert all(any(f"%{symbol} (" in text for symbol in one.symbols if symbol) for one in left)


def test_the_trace_says_when_it_began():
    before = time.time()
    with recorded() as recording:
        pass
    assert before - 1 <= events.began(recording.xspace) <= time.time() + 1


def test_a_function_that_was_compiled_is_compiled_again():
    jitted = jax.jit(several)
    jitted.lower(MATRIX).compile()
    for _ in range(2):
        assert timed(jitted.lower(MATRIX)).kernels


def test_what_was_compiled_works(made):
    x = jnp.eye(32)
    assert jnp.allclose(made.compiled(x)[2], jax.jit(several)(x)[2])


def test_the_users_own_options_hold():
    jitted = jax.jit(several, compiler_options={"xla_no_such_option": True})
    with pytest.raises(CompileError, match="xla_no_such_option"):
        timed(jitted.lower(MATRIX))
    assert timed(jax.jit(several).lower(MATRIX)).seconds > 0


def test_during_a_profile_of_the_program_it_is_refused(tmp_path):
    lowered = jax.jit(several).lower(MATRIX)
    jax.profiler.start_trace(str(tmp_path))
    try:
        with pytest.raises(UnavailableError, match="records a profile itself"):
            timed(lowered)
    finally:
        jax.profiler.stop_trace()


def test_nothing_is_written_to_the_persistent_cache(tmp_path):
    wanted = {
        "jax_compilation_cache_dir": str(tmp_path),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    before = {name: getattr(jax.config, name) for name in wanted}
    compilation_cache.reset_cache()
    try:
        for name, value in wanted.items():
            jax.config.update(name, value)
        lowered = jax.jit(lambda x: several(x * 3)).lower(MATRIX)
        timed(lowered)
        assert not list(tmp_path.iterdir())
        lowered.compile()
        assert list(tmp_path.iterdir())
        assert timed(lowered).kernels
    finally:
        for name, value in before.items():
            jax.config.update(name, value)
        compilation_cache.reset_cache()


def test_the_wait_for_the_last_events_is_not_part_of_the_compilation(monkeypatch):
    monkeypatch.setattr(recording, "_LAST_EVENTS", 1.0)
    lowered = jax.jit(lambda x: x + 1).lower(MATRIX)
    began = time.perf_counter()
    assert timed(lowered).seconds <= time.perf_counter() - began - 1
