"""A value that a function closes over is a constant of its executable.

Each factor makes another function; passed as an argument it would need no compilation.
"""

import jax
import numpy as np


def scaler(factor):
    @jax.jit
    def scale(x):
        return x * factor

    return scale


@jax.jit
def scale_by(factor, x):
    return x * factor


x = np.ones(3, np.float32)

for factor in (2.0, 3.0, 4.0):
    scaler(factor)(x)

for factor in (2.0, 3.0, 4.0):
    scale_by(factor, x)
