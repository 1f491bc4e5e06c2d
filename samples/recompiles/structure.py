"""The containers around the arrays are part of the key: their types, their keys, their lengths."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np


class Params(NamedTuple):
    w: jax.Array
    b: jax.Array


@jax.jit
def norm(params, mask):
    scale = 1 if mask is None else mask
    return sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(params)) * scale


w, b = np.ones((3, 3), np.float32), np.ones(3, np.float32)
mask = np.ones((), np.float32)

norm({"w": w}, None)
norm({"w": w, "b": b}, None)  # a key more
norm({"b": b, "w": w}, None)  # the order of keys does not matter
norm({"w": w, "b": b}, mask)  # None became an array
norm(Params(w, b), mask)  # another type
norm([w, b], mask)
norm((w, b), mask)
norm((w, b.astype(np.int32)), mask)  # a dtype, inside
