"""Which arrays of a call lie in the same memory.

JAX refuses a call that donates a buffer which another argument has as well (`INVALID_ARGUMENT: Attempt to
donate the same buffer twice`; 0.8.3 to 0.12.0.1), as long as the program uses both and overwrites one.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import jax

Buffers = Mapping[str, Hashable]
"""Path of an array in `(args, kwargs)` → where its data lies."""


def buffers(call: Any) -> dict[str, Hashable]:
    """For each array of JAX's in a call, `(args, kwargs)`."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(call)
    places = {
        jax.tree_util.keystr(path): _place(leaf) for path, leaf in leaves if isinstance(leaf, jax.Array)
    }
    return {path: place for path, place in places.items() if place is not None}


def _place(array: jax.Array) -> Hashable:
    """The device and the address of each of its shards; None for what has none, such as a deleted array."""
    data: Any = getattr(array, "_base_array", array)  # a key's own data
    try:
        return tuple(
            (shard.device.id, shard.data.unsafe_buffer_pointer()) for shard in data.addressable_shards
        )
    except (AttributeError, NotImplementedError, RuntimeError):
        return None


def shared_leaves(call: Any, avals: Sequence[Any], known: Buffers) -> list[set[int]]:
    """The leaves of a trace that lie in one buffer, in groups of two and more. `avals` are those of the
    trace; nothing is shared, as far as is known, if they are not those of the call, one by one.
    """
    leaves = [
        (jax.tree_util.keystr(path), leaf)
        for path, leaf in jax.tree_util.tree_flatten_with_path(call)[0]
        if hasattr(leaf, "shape") or isinstance(leaf, complex | float | int)
    ]
    arrays = [(path, leaf) for path, leaf in leaves if hasattr(leaf, "shape")]
    traced = next((found for found in (arrays, leaves) if len(found) == len(avals)), [])
    if any(getattr(leaf, "shape", ()) != aval.shape for (_, leaf), aval in zip(traced, avals, strict=False)):
        return []
    groups: dict[Hashable, set[int]] = {}
    for index, (path, _) in enumerate(traced):
        if path in known:
            groups.setdefault(known[path], set()).add(index)
    return [group for group in groups.values() if len(group) > 1]
