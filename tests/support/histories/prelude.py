"""What the programs of the histories begin with."""

import dataclasses
import enum
import functools
import math
import zlib
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np


def under(setting, value, call):
    """A call with a setting of JAX's."""
    before = getattr(jax.config, setting)
    jax.config.update(setting, value)
    try:
        return call()
    finally:
        jax.config.update(setting, before)


def array(shape, dtype="float32"):
    return np.arange(math.prod(shape)).reshape(shape).astype(jnp.dtype(dtype))


def text(value):
    """The same for values that do the same."""
    if isinstance(value, (np.ndarray, jax.Array)):
        return repr(np.asarray(value).tolist())
    if callable(value) and not dataclasses.is_dataclass(value):
        return repr(value(2.0))
    if dataclasses.is_dataclass(value):
        return type(value).__name__ + text(vars(value))
    if isinstance(value, dict):
        return repr({name: text(part) for name, part in value.items()})
    if isinstance(value, (tuple, list)):
        return repr([text(part) for part in value])
    return repr(value)


def outcome(traced, *fixed):
    """What a body returns: its arrays, its numbers, and a number for all else that its program depends on."""
    numbers = [value for value in fixed if isinstance(value, (int, float, jax.Array))]
    others = [value for value in fixed if not isinstance(value, (int, float, jax.Array))]
    return jax.tree.leaves(traced), numbers, np.int32(zlib.crc32(text(others).encode()) >> 1)


class Color(enum.Enum):
    RED = 1
    BLUE = 2


@dataclasses.dataclass(frozen=True)
class Inner:
    width: int
    name: str


@dataclasses.dataclass(frozen=True)
class Outer:
    inner: Inner
    rate: float


class Plain:
    """A static value that is equal to nothing but itself."""

    def __init__(self, gain):
        self.gain = gain

    def __repr__(self):
        return f"Plain({self.gain})"


class Settings(NamedTuple):
    rate: float
    apply: object


@jax.tree_util.register_pytree_node_class
class Scaled:
    """A pytree class whose static part cannot be hashed."""

    def __init__(self, x, **fixed):
        self.x, self.fixed = x, fixed

    def tree_flatten(self):
        return (self.x,), self.fixed

    @classmethod
    def tree_unflatten(cls, aux, children):
        return cls(*children, **aux)


@functools.partial(jax.tree_util.register_dataclass, data_fields=["idx"], meta_fields=["cutoff", "size"])
@dataclasses.dataclass
class Neighbors:
    """Static data with an array in it."""

    idx: object
    cutoff: object
    size: int


def below_3(v):
    return v < 3


def double(v):
    return v * 2


A2, A3, CUTOFF = np.ones(2, np.float32), np.ones(3, np.float32), jnp.float32(3.0)
KEPT, PARTIAL, PLAIN = (lambda v: v * 3), functools.partial(max, 1.0), Plain(1)
