"""With many calls before it, a new one is best told by the nearest: the last differs in one shape alone."""

from functools import partial

import jax
import numpy as np


@partial(jax.jit, static_argnames="kind")
def activate(x, kind):
    return getattr(jax.nn, kind)(x)


def batch(rows):
    return np.ones((rows, 4), np.float32)


activate(batch(8), kind="relu")
activate(batch(8), kind="gelu")
with jax.default_matmul_precision("float32"):
    activate(batch(8), kind="gelu")
activate(batch(4), kind="relu")
activate(batch(2), kind="gelu")
