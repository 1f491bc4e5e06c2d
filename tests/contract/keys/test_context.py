"""The trace context, as JAX tells it."""

import jax
import pytest

from jitinspect.jaxapi.keys.context import context_values, trace_context


def changed(setting):
    before, values = trace_context(), context_values()
    with setting():  # made here: `set_mesh` sets it at once
        now = trace_context()
        assert (context_values() != values) == (now != before)
    return {name for name in now if now[name] != before[name]}


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        (lambda: jax.enable_x64(True), "jax_enable_x64"),
        (lambda: jax.default_matmul_precision("float32"), "jax_default_matmul_precision"),
        (lambda: jax.numpy_rank_promotion("warn"), "jax_numpy_rank_promotion"),
        (lambda: jax.default_device(jax.devices()[0]), "jax_default_device"),
        (lambda: jax.set_mesh(jax.make_mesh((1,), ("d",))), "abstract_mesh_context_manager"),
    ],
)
def test_what_a_trace_hangs_on_is_told(setting, name):
    assert changed(setting) == {name}


def test_what_no_trace_hangs_on_is_not():
    assert changed(lambda: jax.debug_nans(True)) == set()
