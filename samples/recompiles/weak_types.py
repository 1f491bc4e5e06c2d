"""A Python number is weakly typed, an array is not: the same value in two types.

The running total starts as a Python float and comes back as an array, so the second step
compiles again, and only the third finds what it needs.
"""

import jax
import jax.numpy as jnp
import numpy as np


@jax.jit
def add_loss(total, losses):
    return total + jnp.sum(losses)


@jax.jit
def decay(rate, x):
    return rate * x


losses = np.ones(3, np.float32)

total = 0.0  # jnp.float32(0) would do with one compilation
for _ in range(3):
    total = add_loss(total, losses)

decay(1, losses)
decay(0.5, losses)  # an int became a float
decay(np.float32(0.5), losses)  # the same number, no longer weakly typed
