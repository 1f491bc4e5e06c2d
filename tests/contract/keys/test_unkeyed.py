"""JAX's hooks for settings and for cached calls, and the settings that change what is traced."""

import jax
import jax.numpy as jnp
import pytest
from jax._src import api, config

from jitinspect.jaxapi.keys import unkeyed
from jitinspect.jaxapi.keys.fast_path import not_looked_up


def hooks():
    return {
        (name, attribute): getattr(state, attribute)
        for name, state in config.config_states.items()
        for attribute in ("_update_global_hook", "_update_thread_local_hook")
    }


@pytest.mark.parametrize("debugged_before", [False, True])
def test_changes_and_cached_calls_are_seen_and_nothing_is_left_behind(debugged_before):
    if debugged_before:
        with jax.debug_nans(True):
            pass
    before, changes, calls = hooks(), [], []
    watch = unkeyed.Watch(lambda: changes.append(1), lambda jit, frame: calls.append((jit, frame.f_code)))
    jit = jax.jit(lambda x: x)
    jit(1)
    watch.start()
    with jax.default_prng_impl("rbg"):
        pass
    watch.arm(True)
    jit(1)
    watch.arm(False)
    jit(1)
    watch.stop()
    assert len(changes) == 2 and len(calls) == 1
    assert calls[0][0] is jit and calls[0][1].co_name.startswith("test_changes")
    assert hooks() == before and api._post_hook_state.value is None


@pytest.mark.parametrize(
    ("function", "found"),
    [
        (lambda s: jax.random.key_data(jax.random.key(s)),
         {"jax_default_prng_impl", "jax_enable_custom_prng"}),
        (lambda s: jax.random.gumbel(jax.random.wrap_key_data(jnp.zeros(2, "uint32"))),
         {"jax_high_dynamic_range_gumbel"}),
        (lambda s: jnp.sin(1.0 * s), set()),
    ],
)  # fmt: skip
def test_a_jaxpr_tells_which_settings_it_was_traced_under(function, found):
    read = unkeyed.read_by(jax.jit(function).trace(0).jaxpr)
    assert found <= read
    if not found:
        assert not read & {"jax_default_prng_impl", "jax_high_dynamic_range_gumbel"}


def test_the_settings_are_not_in_the_key_of_a_jit():
    traced = {"jax_default_prng_impl", "jax_enable_custom_prng", "jax_high_dynamic_range_gumbel"}
    jit = jax.jit(lambda x: x)
    jit(1)
    for name in traced & set(unkeyed.values()):
        state = config.config_states[name]
        with state("rbg" if isinstance(state.value, str) else not state.value):
            jit(1)
    assert jit._cache_size() == 1
    assert "jax_high_dynamic_range_gumbel" in not_looked_up()
