"""Values for the arrays of a call that is run to see how long it takes, where only their types are given.

Not zeros: products and exponentials of zeros may take another time, and what is divided by them is not
finite. Integers are 0, so that they are indices of anything.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from jitinspect.jaxapi.arrays.zeros import check_memory, made

_KINDS: dict[str, tuple[Any, str]] = {
    "floats": (jax.numpy.floating, "uniform in [0, 1)"),
    "complex numbers": (jax.numpy.complexfloating, "uniform in the unit square"),
    "integers": (jax.numpy.integer, "0"),
    "bools": (jax.numpy.bool_, "random"),
    "keys": (jax.dtypes.prng_key, "of seed 0"),
}


def with_values(call: Any) -> tuple[Any, dict[str, str]]:
    """The call with an array on its device for each `ShapeDtypeStruct`, and what these are by kind of number.
    They are the same in each process. Raises `UsageError` if they do not fit into memory.
    """
    structs = [leaf for leaf in jax.tree.leaves(call) if isinstance(leaf, jax.ShapeDtypeStruct)]
    check_memory(structs, "give a smaller --shape")
    random = np.random.default_rng(0)

    def value(leaf: Any) -> Any:
        if not isinstance(leaf, jax.ShapeDtypeStruct):
            return leaf
        array = made(leaf, lambda shape, dtype: _numbers(random, shape, dtype))
        return jax.device_put(array) if isinstance(array, np.ndarray) else array

    kinds = {
        name: told
        for name, (kind, told) in _KINDS.items()
        if any(jax.numpy.issubdtype(struct.dtype, kind) for struct in structs)
    }
    return jax.tree.map(value, call), kinds


def _numbers(random: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
    if jax.numpy.issubdtype(dtype, jax.numpy.complexfloating):
        return (random.random(shape) + 1j * random.random(shape)).astype(dtype)
    if jax.numpy.issubdtype(dtype, jax.numpy.floating):
        return np.asarray(random.random(shape, np.float32)).astype(dtype)
    if dtype == jax.numpy.bool_:
        return np.asarray(random.random(shape, np.float32) < 0.5)
    return np.zeros(shape, dtype)


def copies(tree: Any, which: set[int]) -> Any:
    """The tree with a copy of each array among its leaves whose index is in `which`: a call to which they are
    donated deletes them.
    """
    leaves, form = jax.tree.flatten(tree)
    copied = [jax.numpy.array(leaf, copy=True) if at in which else leaf for at, leaf in enumerate(leaves)]
    return jax.block_until_ready(jax.tree.unflatten(form, copied))


def arrays_in(tree: Any) -> set[int]:
    """The indices of JAX's arrays among its leaves."""
    return {at for at, leaf in enumerate(jax.tree.leaves(tree)) if isinstance(leaf, jax.Array)}


def deleted_in(tree: Any) -> set[int]:
    """Those that were donated to a call."""
    leaves = jax.tree.leaves(tree)
    return {at for at in arrays_in(tree) if leaves[at].is_deleted()}
