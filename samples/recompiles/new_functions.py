"""A function that is made anew is a new function, however alike: nothing is remembered of the old one."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np


def loss(w):
    return jnp.sum(w**2)


def scale(factor, x):
    return factor * x


class Model:
    def step(self, x):
        return x * 2


model, x = Model(), np.ones(3, np.float32)

for _ in range(2):
    jax.jit(lambda v: v * 2)(x)
    jax.jit(partial(scale, 2.0))(x)
    jax.jit(model.step)(x)  # each `model.step` is a new bound method
    jax.jit(jax.grad(loss))(x)
    jax.jit(loss)(x)  # but this is the same `loss` each time
