"""What `jaxapi.devices` takes from JAX, held against JAX."""

import jax
import jax.numpy as jnp

from jitinspect.jaxapi.devices import is_computing


def test_an_unfinished_computation_is_seen():
    """XLA computes in its own threads: a call returns at once, unless it is very short."""

    @jax.jit
    def slow(x):
        return jax.lax.fori_loop(0, 200, lambda i, x: jnp.tanh(x @ x), x)

    x = jnp.ones((256, 256))
    slow(x).block_until_ready()
    result = slow(x)
    assert is_computing() and not result.is_ready()
    result.block_until_ready()
    jax.block_until_ready(jax.live_arrays())
    assert not is_computing()
    result.delete()
    assert not is_computing()
