"""Arrays replaced by their types, and dtypes that JAX narrows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jax
import numpy as np

from jitinspect import specs
from jitinspect.specs import Argument
from jitinspect.targets.arguments.build import Call


def as_types(call: Call) -> Call:
    """The same call with each array replaced by its type, so that nothing runs on its data.

    Weak types, typed keys, and the sharding of committed arrays are kept. An array of 64 bits that was made
    with x64 on, while it is off now, stays: JAX narrows a `ShapeDtypeStruct`, but not such an array, which it
    traces as it is and converts (0.8.3 to 0.12.0.1).
    """
    args, kwargs = jax.tree.map(_as_type, call)
    return args, kwargs


def _as_type(leaf: Any) -> Any:
    if isinstance(leaf, jax.Array):
        if _is_narrowed(leaf.dtype):
            return leaf
        sharding = leaf.sharding if leaf.committed else None
        weak = getattr(leaf, "weak_type", False)  # typed keys have none
        return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, weak_type=weak, sharding=sharding)
    if isinstance(leaf, np.ndarray | np.generic):
        return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype)
    return leaf


def _is_narrowed(dtype: Any) -> bool:
    """Whether JAX would narrow a type, as it does with numbers of 64 bits while x64 is off."""
    is_extended = jax.numpy.issubdtype(dtype, jax.dtypes.extended)
    return not is_extended and jax.dtypes.canonicalize_dtype(dtype) != dtype


def changed_dtypes(arguments: Iterable[Argument]) -> list[tuple[str, str]]:
    """The requested 64-bit dtypes that JAX silently narrows: `[("f64", "f32")]`.

    `jax.dtypes.canonicalize_dtype` says how JAX narrows while x64 is off.
    """
    requested = {
        leaf.dtype
        for argument in arguments
        for leaf in specs.leaves(argument.spec)
        if isinstance(leaf, specs.ArraySpec)
    }
    narrowed = {dtype: _canonical(dtype) for dtype in sorted(requested)}
    return [(dtype, now) for dtype, now in narrowed.items() if dtype != now]


def _canonical(dtype: str) -> str:
    return specs.short_dtype(str(jax.dtypes.canonicalize_dtype(specs.long_dtype(dtype))))
