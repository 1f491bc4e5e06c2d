"""What was compiled and is forgotten: by `clear_cache`, by `clear_caches`, and with the function itself."""

import jax
import numpy as np


@jax.jit
def double(x):
    return x * 2


def train(x):
    @jax.jit
    def step(x):
        return x + 1

    return step(x)


x = np.ones(3, np.float32)

double(x)
double.clear_cache()
double(x)
jax.clear_caches()
double(x)

train(x)
train(x)  # the first `step` is gone
