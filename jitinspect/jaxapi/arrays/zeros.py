"""Arrays with given types: of zeros, for the arguments of a call script's calls, or of other numbers."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from typing import Any

import jax
import numpy as np
from jax._src.lax import lax as _lax

from jitinspect.errors import UsageError

_SCALARS = "fic"
Numbers = Callable[[tuple[int, ...], Any], Any]
"""A shape and a dtype → a NumPy array."""


def zeros(struct: jax.ShapeDtypeStruct) -> Any:
    """An array of that type and placement; a NumPy array where that makes no difference to JAX, so that
    nothing is compiled for it. Weakly typed scalars are Python scalars.
    """
    return made(struct, np.zeros)


def made(struct: jax.ShapeDtypeStruct, numbers: Numbers) -> Any:
    """The same of other numbers. Keys are always that of seed 0."""
    if jax.numpy.issubdtype(struct.dtype, jax.dtypes.prng_key):
        return _placed(_keys(struct), struct.sharding)
    if struct.weak_type:
        return _placed(_weak(struct, numbers), struct.sharding)
    return _placed(numbers(struct.shape, struct.dtype), struct.sharding)


def _placed(array: Any, sharding: Any) -> Any:
    return array if sharding is None else jax.device_put(array, sharding)


def _keys(struct: jax.ShapeDtypeStruct) -> Any:
    """Copies of the key of seed 0; the dtype names the implementation."""
    dtype: Any = struct.dtype
    key = jax.random.key(0, impl=dtype._impl.name)
    return jax.numpy.broadcast_to(key, struct.shape)


def _weak(struct: jax.ShapeDtypeStruct, numbers: Numbers) -> Any:
    """Weakly typed arrays other than scalars need a private function (`_convert_element_type`, both JAX)."""
    plain = numbers(struct.shape, struct.dtype)
    is_scalar = struct.shape == () and struct.sharding is None and struct.dtype.kind in _SCALARS
    if is_scalar and jax.typeof(plain.item()).dtype == struct.dtype:
        return plain.item()
    return _lax._convert_element_type(plain, struct.dtype, weak_type=True)


def check_memory(structs: Iterable[jax.ShapeDtypeStruct], hint: str) -> None:
    """Raises `UsageError` for arrays that do not fit into memory: trying may get the process killed."""
    needed, here = sum(map(_bytes, structs)), os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > here:
        message = f"its arrays take {_gib(needed)}, this machine has {_gib(here)} of memory"
        raise UsageError(message, hint=hint)


def _bytes(struct: jax.ShapeDtypeStruct) -> int:
    size: int = math.prod(struct.shape) * struct.dtype.itemsize
    return size


def _gib(size: int) -> str:
    return f"{size / 2**30:,.1f} GiB"
