"""A static argument is part of the key: each new value compiles, and "new" is what == and the type say."""

from dataclasses import dataclass
from functools import partial

import jax
import numpy as np


@dataclass(frozen=True)
class Config:
    hidden: int = 128
    activation: str = "relu"


class Options:
    """Has no `__eq__`, so no two of them are ever the same."""


@partial(jax.jit, static_argnames="how")
def apply(x, how):
    return x * 2


x = np.ones(3, np.float32)

apply(x, how=Config())
apply(x, how=Config())  # equal, hence cached
apply(x, how=Config(activation="gelu"))
apply(x, how=1)
apply(x, how=True)  # equal to 1, but of another type
apply(x, how=Options())
apply(x, how=Options())
