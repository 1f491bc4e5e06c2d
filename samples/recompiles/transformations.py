"""A compiled function under `grad` or `vmap` is another computation: it is compiled for each of them."""

import jax
import jax.numpy as jnp
import numpy as np


@jax.jit
def squares(x):
    return jnp.sum(x**2)


x = np.ones(3, np.float32)

squares(x)
jax.grad(squares)(x)
jax.vmap(squares)(np.ones((4, 3), np.float32))
jax.grad(squares)(x)  # known by now
squares(x)
