"""What the users' names are read from: equinox's parts of a call, and flax's graph of a module."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from jitinspect.errors import UnavailableError
from jitinspect.jaxapi.jits import filter_jit_parts
from jitinspect.jaxapi.jits.argument_names import argument_names

X = jax.ShapeDtypeStruct((3,), "float32")


def test_equinox_sorts_a_call_into_function_first_and_rest():
    wrapper = eqx.filter_jit(lambda x, y, n: x * n + y)
    donated, kept, static = filter_jit_parts.parts(wrapper, (X, jnp.ones(3), 2), {})
    assert donated == {} and list(kept) == ["first", "fun", "rest"]
    assert kept["first"] == (X,) and kept["rest"][0].shape == (3,) and static[2][0][:2] == (None, 2)
    assert filter_jit_parts.leaf_names(wrapper, (X, jnp.ones(3), 2), {}) == (("x", "y"), {"n": 2})


def test_another_equinox_is_told_as_that():
    with pytest.raises(UnavailableError, match="keeps the jit under filter_jit elsewhere"):
        filter_jit_parts.parts(lambda x: x, (X,), {})


def test_flax_lists_the_nodes_of_a_module_depth_first():
    class Model(nnx.Module):
        def __init__(self):
            self.inner = nnx.List([nnx.BatchNorm(3, rngs=nnx.Rngs(0))])
            self.last = nnx.Param(jnp.ones(2))
            self.same = self.inner[0]

    traced = nnx.jit(lambda model, x: model.last[:] * x).trace(Model(), jnp.ones(2))
    below = [f"model.inner[0].{name}" for name in ("bias", "mean", "scale", "var")]
    assert argument_names(traced.traced) == (*below, "model.last", "x")


def test_names_that_do_not_fit_are_left():
    traced = jax.jit(lambda p: p["w"]).trace({"w": X})
    assert argument_names(traced, ("a",)) == ("a",)
    assert argument_names(traced, ("a", "b")) == ("p['w']",)
