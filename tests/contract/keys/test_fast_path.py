"""Which settings the fast path of a jit looks up, as it does for a real one."""

import jax
import pytest
from jax._src import config

from jitinspect.jaxapi.jits.facts import FunctionNumbers, facts
from jitinspect.jaxapi.keys.fast_path import fast_path_entries, looked_up_values, not_looked_up


@pytest.mark.parametrize("name", ["jax_high_dynamic_range_gumbel", "jax_mutable_array_checks"])
def test_the_fast_path_ignores_a_setting_that_traces_depend_on(name):
    assert name in not_looked_up()
    jit = jax.jit(lambda x: x)
    jit(1)
    state = config.config_states[name]
    with state(not state.value):
        jit(1)
    assert jit._cache_size() == 1


def test_the_fast_path_looks_up_a_level_that_no_trace_depends_on():
    before, values = jax.config.jax_optimization_level, looked_up_values()
    assert before in values
    jit = jax.jit(lambda x: x)
    jit(1)
    with config.config_states["jax_optimization_level"]("O1"):
        assert looked_up_values() != values
        jit(1)
    assert jit._cache_size() == 2


def test_jits_of_a_function_share_entries_unless_all_caches_were_cleared_between_them():
    def fun(x):
        return x

    jits = [jax.jit(fun), jax.jit(fun)]
    jax.clear_caches()
    jits += [jax.jit(fun), jax.jit(fun)]
    jits[0](1)
    assert [fast_path_entries(jit) for jit in jits] == [1, 1, 0, 0]
    jits[2](1)
    jits[3].clear_cache()
    assert [fast_path_entries(jit) for jit in jits] == [1, 1, 0, 0]
    numbers = FunctionNumbers()
    paths = [facts(jit, numbers, after).fast for jit, after in zip(jits, (0, 0, 1, 1), strict=True)]
    assert paths[0] == paths[1] != paths[2] == paths[3]


def test_x64_is_looked_up():
    assert "jax_enable_x64" not in not_looked_up()


def test_the_trial_leaves_every_setting_as_it_was():
    before = {name: state.value for name, state in config.config_states.items()}
    not_looked_up.__wrapped__()
    assert {name: state.value for name, state in config.config_states.items()} == before
