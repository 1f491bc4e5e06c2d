"""One and the same call in four forms: each form is a key of its own."""

from functools import partial

import jax
import numpy as np


@partial(jax.jit, static_argnames="training")
def predict(x, w, training=False):
    return x @ w * (2 if training else 1)


x, w = np.ones((4, 3), np.float32), np.ones(3, np.float32)

predict(x, w)
predict(x, w, False)
predict(x, w, training=False)
predict(x, w=w, training=False)
predict(training=False, w=w, x=x)
predict(w=w, x=x, training=False)  # the order of keywords does not matter
