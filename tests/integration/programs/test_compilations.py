"""Seconds are counted once, and none is left out: held against a stopwatch around JAX's stages."""

import jax
import jax.numpy as jnp
import pytest

from jitinspect.calls.call_log import CallLog
from jitinspect.calls.report import function_totals, rows
from jitinspect.programs.watch import Watch
from tests.support.stopwatch import started


def with_eager_work_in_a_trace():
    @jax.jit
    def scaled(x):
        with jax.ensure_compile_time_eval():
            factor = jnp.linalg.eigh(jnp.eye(4))[0].sum()
        return x * factor

    scaled(jnp.ones(3))


def with_stages_one_by_one():
    lowered = jax.jit(lambda x: jnp.sort(x) @ x).lower(jnp.ones(5))
    lowered.compile()(jnp.ones(5))


def with_a_gradient_of_a_scan():
    def loss(x):
        return jax.lax.scan(lambda carry, y: (carry * y, jnp.sin(carry)), 1.0, x)[0]

    jax.grad(jax.jit(loss))(jnp.arange(6.0))


def with_a_failure_in_the_middle():
    @jax.jit
    def failing(x):
        with jax.ensure_compile_time_eval():
            jnp.linalg.qr(jnp.eye(5))
        raise ValueError

    with pytest.raises(ValueError):
        failing(jnp.ones(2))


PROGRAMS = [
    with_eager_work_in_a_trace, with_stages_one_by_one, with_a_gradient_of_a_scan,
    with_a_failure_in_the_middle,
]  # fmt: skip


@pytest.fixture
def stopwatch():
    jax.clear_caches()
    stopwatch = started()
    yield stopwatch
    jax.monitoring.unregister_scalar_listener(stopwatch.start)
    jax.monitoring.unregister_event_duration_listener(stopwatch.stop)


@pytest.mark.parametrize("program", PROGRAMS, ids=[program.__name__ for program in PROGRAMS])
def test_the_watch_counts_the_time_that_passed(stopwatch, program):
    with Watch() as watch:
        program()
    report = watch.report("program.py")
    counted = report.totals.seconds + report.internal.seconds
    assert counted == pytest.approx(stopwatch.seconds, rel=0.01)


def test_the_call_log_counts_no_second_twice(stopwatch):
    with CallLog() as log:
        with_eager_work_in_a_trace()
    own = sum(one.seconds for one in function_totals(list(rows(log)), {}, {}))
    assert own > 0 and log.internal.compilations > 0
    assert own + log.internal.seconds == pytest.approx(stopwatch.seconds, rel=0.01)
