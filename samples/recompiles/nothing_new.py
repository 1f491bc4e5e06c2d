"""What looks like a cause and is none: one compilation serves all of these calls."""

import threading

import jax
import jax.numpy as jnp
import numpy as np


def total(params):
    return params["w"] @ params["w"] + params["b"]


w, b = np.ones(3, np.float32), np.ones((), np.float32)

first = jax.jit(total)
first({"w": w, "b": b})
first({"b": b, "w": w})  # keys in another order
first({"w": jnp.asarray(w), "b": b})  # JAX's array instead of NumPy's
first({"w": w.astype(np.float64), "b": b})  # becomes float32 while x64 is off

second = jax.jit(total)  # the same function, jitted again
second({"w": w, "b": b})

thread = threading.Thread(target=second, args=({"w": w, "b": b},))
thread.start()
thread.join()
