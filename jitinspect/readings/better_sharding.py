"""What an array would take on a device if it were sharded over the axes that it is not sharded over yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import prod

from jitinspect.ir.hlo_sharding import Axes
from jitinspect.model.communication import MeshShape

_MOST_AXES = 4
"""So many free axes are tried, the largest: all ways to give each to a dimension are compared."""


@dataclass(frozen=True, slots=True)
class Better:
    """The axes of each dimension, and into how many parts what a device has now would be divided."""

    axes: Axes
    parts: int


def free_axes(axes: Axes, taken: Sequence[str], mesh: MeshShape) -> tuple[str, ...]:
    """The axes of the mesh of which no part divides a dimension, and which are not `taken` otherwise. An axis
    of size 1 divides nothing.
    """
    used = {name.partition(":(")[0] for names in (*axes, taken) for name in names}
    return tuple(name for name, size in mesh.axes.items() if size > 1 and name not in used)


@lru_cache(maxsize=4096)
def better(axes: Axes, shape: tuple[int, ...], free: tuple[str, ...], mesh: MeshShape) -> Better | None:
    """The spec with the smallest parts, where `shape` is that on a device now; None if no free axis divides a
    dimension. Dimensions that are not divided yet are preferred, and of those the first.
    """
    sizes = mesh.axes
    tried = sorted(free, key=lambda name: -sizes[name])[:_MOST_AXES]
    found = max(_ways(axes, shape, tried, sizes), key=lambda one: one.parts, default=None)
    return found if found and found.parts > 1 else None


def _ways(axes: Axes, shape: tuple[int, ...], free: Sequence[str], sizes: dict[str, int]) -> Iterator[Better]:
    """Each way to give some of the `free` axes to a dimension that they divide."""
    dimensions = sorted(range(len(shape)), key=lambda at: bool(axes[at]))
    for chosen in product((*dimensions, None), repeat=len(free)):
        given = [
            tuple(name for name, at in zip(free, chosen, strict=True) if at == n) for n in range(len(shape))
        ]
        parts = [prod(sizes[name] for name in names) for names in given]
        if not any(size % part for size, part in zip(shape, parts, strict=True)):
            yield Better(tuple(old + new for old, new in zip(axes, given, strict=True)), prod(parts))
