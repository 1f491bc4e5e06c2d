"""The last batch is smaller than the others, so it gets an executable of its own.

1000 rows in batches of 256: three full ones, and one of 232.
"""

import jax
import jax.numpy as jnp
import numpy as np

BATCH = 256


@jax.jit
def loss(w, x, y):
    """Mean squared error of a linear model."""
    return jnp.mean((x @ w - y) ** 2)


w = np.zeros(8, np.float32)
data, labels = np.ones((1000, 8), np.float32), np.ones(1000, np.float32)

for start in range(0, len(data), BATCH):
    loss(w, data[start : start + BATCH], labels[start : start + BATCH])
