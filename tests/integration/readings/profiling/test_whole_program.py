"""Programs while they run: what ran, and where; and that nobody sees that it is measured."""

import gc
import os
import threading
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
from jax._src.lib import _profiler  # noqa: TID251

import jitinspect
from jitinspect.errors import UnavailableError
from jitinspect.readings.profiling.pieces import PROFILED_ITSELF, SERVES
from tests.contract.traces.test_own_profiles import free_port
from tests.support.measured import one_of_three_runs


@jax.jit
def one(x):
    return x @ x / 300


@jax.jit
def four(x):
    x = jnp.concatenate([x, x], 1)
    return x @ x.T / 300


def profiled(program):
    """Again where the recording paused, as it does on a busy machine: what ran meanwhile is in none."""
    for _ in range(9):
        with jitinspect.profile() as p:
            program()
        if not p.profile.is_estimate:
            break
    return p.profile


def line(profile, text):
    return next(row for row in profile.by_line if row.text == text)


def test_functions_calls_and_lines():
    ones = four(one(jnp.ones((300, 300)))).block_until_ready()

    def program():
        x = ones
        for _ in range(6):
            x = one(x)
        for _ in range(3):
            x = four(x)
        x.block_until_ready()

    profile = profiled(program)
    calls = {row.function: row.calls for row in profile.functions}
    assert (calls["one"], calls["four"]) == (6, 3)
    definitions = {row.function: row.definition for row in profile.functions}
    assert definitions["one"].endswith(f"{one.__wrapped__.__code__.co_firstlineno}")
    assert line(profile, "return x @ x / 300").file.endswith("test_whole_program.py")
    total = profile.op_seconds
    assert sum(row.seconds for row in profile.by_line) == pytest.approx(total)
    assert sum(row.seconds for row in profile.by_op) == pytest.approx(total)
    assert sum(row.seconds for row in profile.functions) == pytest.approx(total)
    named = sum(row.share for row in profile.by_line if row.file)
    assert named > 0.97


@one_of_three_runs
def test_time_is_where_it_was_spent():
    @jax.jit
    def slow(x):
        return jax.pure_callback(lambda x: (time.sleep(0.2), x)[1], jax.ShapeDtypeStruct((), "float32"), x)

    x = jnp.float32(1)
    slow(x).block_until_ready()
    with jitinspect.profile() as p:
        for _ in range(2):
            slow(x).block_until_ready()
        time.sleep(0.4)
    assert p.profile.functions[0].function == "slow" and p.profile.functions[0].calls == 2
    assert p.profile.covered_seconds == pytest.approx(0.4, rel=0.3)
    assert p.profile.host_seconds > 0.35
    assert p.profile.compile_seconds == 0


def test_functions_that_are_gone_at_the_end():
    x = jnp.ones((50, 50))
    with jitinspect.profile() as p:
        for n in range(3):
            made = jax.jit(lambda x, n=n: jnp.tanh(x @ x) * n)
            made(x).block_until_ready()
            del made
            jax.clear_caches()
            gc.collect()
    (row,) = (row for row in p.profile.functions if row.function == "<lambda>")
    assert (row.calls, row.executables) == (3, 3) and p.profile.without_hlo == ()
    assert row.definition.endswith(f"{made_line()}")


def made_line():
    lines = Path(__file__).read_text().splitlines()
    return next(at for at, text in enumerate(lines, 1) if "made = jax.jit(lambda" in text)


def test_a_profile_of_its_own_is_as_it_would_be_alone(tmp_path):
    x = one(jnp.ones((300, 300))).block_until_ready()
    before = _profiler.ProfilerSession, _profiler.start_server

    def program():
        one(x).block_until_ready()
        with jax.profiler.trace(str(tmp_path)):
            four(x).block_until_ready()
            time.sleep(0.05)
        one(x).block_until_ready()

    profile = profiled(program)
    assert (_profiler.ProfilerSession, _profiler.start_server) == before
    (lost,) = profile.unmeasured
    assert lost.why == PROFILED_ITSELF and lost.seconds > 0.05
    (row,) = (row for row in profile.functions if row.function != "broadcast_in_dim")
    assert (row.function, row.calls) == ("one", 2)
    assert list(tmp_path.rglob("*.xplane.pb"))


def test_a_server_for_remote_profiles_has_the_profiler():
    x = one(jnp.ones((300, 300))).block_until_ready()

    def program():
        one(x).block_until_ready()
        jax.profiler.start_server(free_port())
        time.sleep(0.1)
        one(x).block_until_ready()
        jax.profiler.stop_server()

    profile = profiled(program)
    assert [lost.why for lost in profile.unmeasured if lost.seconds > 0.08] == [SERVES]
    assert profile.functions[0].calls == 1


def test_one_at_a_time(tmp_path):
    with jax.profiler.trace(str(tmp_path)), pytest.raises(UnavailableError, match="records a profile itself"):
        jitinspect.profile().__enter__()
    with jitinspect.profile() as p:
        pass
    assert p.profile.by_op == () and "no operation was recorded" in repr(p)


def test_an_inner_profile_takes_over():
    x = one(jnp.ones((300, 300))).block_until_ready()
    with jitinspect.profile() as outer:
        with jitinspect.profile() as inner:
            one(x).block_until_ready()
        four(x).block_until_ready()
    assert [row.function for row in inner.profile.functions] == ["one"]
    assert "four" in {row.function for row in outer.profile.functions}


@pytest.mark.filterwarnings("ignore:.*fork")
def test_a_fork_goes_on_in_both():
    x = one(jnp.ones((300, 300))).block_until_ready()

    def program():
        one(x).block_until_ready()
        if os.fork() == 0:
            os._exit(0)
        assert os.wait()[1] == 0
        one(x).block_until_ready()

    assert profiled(program).functions[0].calls == 2


def test_no_thread_and_no_patch_is_seen():
    threads = threading.enumerate()
    with jitinspect.profile():
        assert threading.enumerate() == threads and threading.active_count() == len(threads)
        session = _profiler.ProfilerSession
        assert (session.__name__, session.__module__) == ("ProfilerSession", "jaxlib._profiler")


def test_what_raises_inside():
    p = jitinspect.profile()
    with pytest.raises(KeyError), p:
        assert "has not ended" in repr(p)
        with pytest.raises(RuntimeError):
            p.report  # noqa: B018
        raise KeyError
    assert p.profile.wall_seconds > 0


def test_small_operations_are_sampled():
    """One cannot record a million of them for the price of running them."""

    @jax.jit
    def many(x):
        return jax.lax.fori_loop(0, 300, lambda i, x: jnp.sin(x @ x) + i, x)

    x = many(jnp.ones((8, 8))).block_until_ready()
    calls = 0
    with jitinspect.profile() as p:
        began, worked = time.perf_counter(), time.process_time()
        while time.perf_counter() - began < 6 or time.process_time() - worked < 4:  # on a busy machine
            x = many(x).block_until_ready()
            calls += 1
    assert p.profile.is_estimate and "estimated from" in repr(p)
    assert p.profile.recorded_seconds < 0.8 * p.profile.wall_seconds
    assert 0 < p.profile.functions[0].calls < 1.5 * calls  # to be recorded slows them down
    assert 0.05 < p.profile.covered_seconds / p.profile.wall_seconds <= 1


def test_as_data_text_and_page():
    x = one(jnp.ones((300, 300))).block_until_ready()
    with jitinspect.profile() as p:
        one(x).block_until_ready()
    from jitinspect.render.json import from_json

    assert from_json(p.to_json()) == p.report
    assert "return x @ x / 300" in repr(p) and "return x @ x / 300" in p._repr_html_()
