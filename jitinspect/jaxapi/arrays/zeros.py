"""Arrays of zeros with given types: the arguments of a call script's calls."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from jax._src.lax import lax as _lax

_SCALARS = {"f": 0.0, "i": 0, "c": 0j}


def zeros(struct: jax.ShapeDtypeStruct) -> Any:
    """An array of that type and placement; a NumPy array where that makes no difference to JAX, so that
    nothing is compiled for it. Weakly typed scalars are Python scalars.
    """
    if jax.numpy.issubdtype(struct.dtype, jax.dtypes.prng_key):
        return _placed(_keys(struct), struct.sharding)
    if struct.weak_type:
        return _placed(_weak(struct), struct.sharding)
    return _placed(np.zeros(struct.shape, struct.dtype), struct.sharding)


def _placed(array: Any, sharding: Any) -> Any:
    return array if sharding is None else jax.device_put(array, sharding)


def _keys(struct: jax.ShapeDtypeStruct) -> Any:
    """Copies of the key of seed 0; the dtype names the implementation."""
    dtype: Any = struct.dtype
    key = jax.random.key(0, impl=dtype._impl.name)
    return jax.numpy.broadcast_to(key, struct.shape)


def _weak(struct: jax.ShapeDtypeStruct) -> Any:
    """Weakly typed arrays other than scalars need a private function (`_convert_element_type`, both JAX)."""
    scalar = _SCALARS.get(struct.dtype.kind)
    plain_scalar = struct.shape == () and struct.sharding is None and scalar is not None
    if plain_scalar and jax.typeof(scalar).dtype == struct.dtype:
        return scalar
    plain = np.zeros(struct.shape, struct.dtype)
    return _lax._convert_element_type(plain, struct.dtype, weak_type=True)
