"""What `arrays.replaced` leans on: where a jaxpr keeps its constants, also those of jaxprs within."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from jitinspect.jaxapi.arrays.replaced import another, replaced

X, ONE = jax.ShapeDtypeStruct((3,), "float32"), jnp.float32(1.0)


@jax.jit
def inner(x):
    return x * ONE


FUNCTIONS = {
    "itself": lambda x: x * ONE,
    "an inner jit": inner,
    "two jits": lambda x: inner(inner(x) * ONE),
    "a scan": lambda x: lax.scan(lambda c, _: (c * ONE, None), x, None, length=3)[0],
    "a while": lambda x: lax.while_loop(lambda c: (c < ONE).all(), lambda c: c + ONE, x),
    "branches": lambda x: lax.cond(x[0] > 2.0, lambda x: x * ONE, lambda x: x + ONE, x),
    "a derivative": jax.grad(lambda x: (inner(x) ** 2).sum()),
}


@pytest.mark.parametrize("what", FUNCTIONS)
def test_another_array_is_lowered_in_place_of_a_captured_one(what):
    traced = jax.jit(FUNCTIONS[what]).trace(X)
    before = traced.lower().as_text()
    after = replaced(traced, ONE, np.float32(7.25)[...]).lower().as_text()
    assert "7.25" in after and "7.25" not in before
    assert len(after.split("\n")) == len(before.split("\n"))
    assert traced.lower().as_text() == before


@pytest.mark.parametrize("dtype", ["float32", "int8", "bool", "complex64", "bfloat16"])
def test_another_array_has_the_same_type_and_no_equal_element(dtype):
    for value in jnp.zeros(4, dtype), jnp.ones(4, dtype), jnp.arange(4).astype(dtype), jnp.ones((), dtype):
        made = another(value)
        assert (made.shape, made.dtype) == (value.shape, value.dtype)
        assert not (np.asarray(made) == np.asarray(value)).any()
    key = jax.random.key(0)
    assert another(key).dtype == key.dtype and (another(key) != key).all()
