"""Settings that a trace hangs on: under another value of one, everything is traced anew."""

import jax
import numpy as np


@jax.jit
def product(a, b):
    return a @ b


a = np.ones((3, 3), np.float32)

product(a, a)
with jax.default_matmul_precision("float32"):
    product(a, a)
with jax.enable_x64(True):
    product(a, a)
with jax.numpy_rank_promotion("raise"):
    product(a, a)
with jax.set_mesh(jax.make_mesh((1,), ("data",))):
    product(a, a)
with jax.debug_nans(True):  # no trace hangs on this one
    product(a, a)
