"""One function jitted in several ways: what its options change is compiled for each."""

import jax
import numpy as np


def step(x):
    return x * 2


x = np.ones(3, np.float32)

jax.jit(step)(x)
jax.jit(step)(x)  # the same options: nothing new
jax.jit(step, donate_argnums=0)(x)
jax.jit(step, compiler_options={"xla_cpu_enable_fast_math": True})(x)
