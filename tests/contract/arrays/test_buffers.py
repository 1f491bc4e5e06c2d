"""What `arrays.buffers` leans on: where JAX says that an array's data lies, and what it refuses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jitinspect.jaxapi.arrays.buffers import buffers, shared_leaves


def avals(*args):
    return jax.jit(lambda *args: args).trace(*args).jaxpr.in_avals


def shared(*args):
    call = (args, {})
    return shared_leaves(call, avals(*args), buffers(call))


def test_an_array_and_another_object_for_it_share_a_buffer():
    x, key = jnp.ones(3), jax.random.key(0)
    assert shared(x, jnp.ones(3)) == []
    assert shared(x, x) == shared(x, jax.device_put(x)) == [{0, 1}]
    assert shared({"a": x, "b": key}, 2.0, [x, key]) == [{0, 3}, {1, 4}]


def test_numpy_arrays_and_types_have_no_buffer_on_a_device():
    n, s = np.ones(3, "float32"), jax.ShapeDtypeStruct((3,), "float32")
    assert shared(n, n) == shared(s, s) == []


def test_a_deleted_array_has_no_buffer():
    x = jnp.ones(3)
    x.delete()
    assert buffers(((x, x), {})) == {}


def test_nothing_is_told_of_leaves_that_are_not_those_of_the_call():
    x = jnp.ones(3)
    call = ((x, x), {})
    assert shared_leaves(call, avals(x), buffers(call)) == []
    assert shared_leaves(call, avals(x, jnp.ones(4)), buffers(call)) == []


@pytest.mark.parametrize("donated", [0, 1, (0, 1)])
def test_jax_refuses_to_donate_a_shared_buffer(donated):
    x = jnp.ones(3)
    with pytest.raises(jax.errors.JaxRuntimeError, match="donate"):
        jax.jit(lambda a, b: (a + 1, b + 1), donate_argnums=donated)(x, x)
