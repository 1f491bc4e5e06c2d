"""The axes of a mesh that a collective runs over, found from the devices in its groups.

Names of axes in HLO are XLA's own, or those of another mesh with the same devices (jaxlib 0.12.0.1), so that
groups are compared with the user's meshes. Partition number `i` is device `i` of any of them, the last
axis first to advance: JAX refuses meshes in one program whose devices are in different orders.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from math import prod

from jitinspect.ir.device_groups import Groups, transposed
from jitinspect.ir.hlo_sharding import Axes
from jitinspect.model.communication import MeshShape

_Part = tuple[str, int, int]
"""A part of an axis: its name, the size of what is before it, and its own."""


def axes_of_groups(groups: Groups, meshes: Iterable[MeshShape]) -> tuple[str, ...]:
    """The axes whose devices are the groups, in the mesh where they are fewest; whole axes go before parts.

    Empty if the groups lie along no axes. A part of an axis is written as Shardy does: `data:(1)2`.
    """
    found = [axes for mesh in meshes if (axes := _along(groups, mesh))]
    return min(found, key=lambda axes: (any(":" in one for one in axes), len(axes)), default=())


def axes_of_pairs(pairs: Groups, meshes: Iterable[MeshShape]) -> tuple[str, ...]:
    """The axes along which a permutation sends something, in the mesh where they are fewest."""
    found = [axes for mesh in meshes if (axes := _moved_along(pairs, mesh))]
    return min(found, key=len, default=())


def size_of_axes(axes: Iterable[str], meshes: Iterable[MeshShape]) -> int:
    """How many devices lie along the axes, of the first mesh that has them."""
    names = tuple(axes)
    known = next((mesh.axes for mesh in meshes if all(name in mesh.names for name in names)), {})
    return prod(known[name] for name in names if name in known)


def tiles(axes: Axes, meshes: Iterable[MeshShape]) -> tuple[tuple[int, ...], ...]:
    """The tile that each device has of an array whose dimensions the axes divide, as its index in each; empty
    if it is not known which of the meshes they are of.
    """
    names = {axis.partition(":")[0] for dimension in axes for axis in dimension}
    found = list(dict.fromkeys(mesh for mesh in meshes if names <= set(mesh.names)))
    if len(found) != 1:
        return ()
    steps = [found[0].size_and_stride(axis) for dimension in axes for axis in dimension]
    return tuple(
        tuple(device // stride % size for size, stride in steps) for device in range(prod(found[0].sizes))
    )


@lru_cache(maxsize=1024)
def _along(groups: Groups, mesh: MeshShape) -> tuple[str, ...]:
    if sorted(device for group in groups for device in group) != list(range(prod(mesh.sizes))):
        return ()
    first = next(group for group in groups if 0 in group)
    places = [_place(device, mesh.sizes) for device in first]
    parts = [
        part
        for axis, name in enumerate(mesh.names)
        if (part := _part(name, mesh.sizes[axis], {place[axis] for place in places}))
    ]
    if {frozenset(group) for group in groups} != set(_groups_along(parts, mesh)):
        return ()
    return tuple(mesh.part(*part) for part in parts)


@lru_cache(maxsize=1024)
def _moved_along(pairs: Groups, mesh: MeshShape) -> tuple[str, ...]:
    if any(device >= prod(mesh.sizes) for pair in pairs for device in pair):
        return ()
    places = [[_place(device, mesh.sizes) for device in pair] for pair in pairs]
    return tuple(
        name
        for axis, name in enumerate(mesh.names)
        if any(source[axis] != target[axis] for source, target in places)
    )


def _place(device: int, sizes: Sequence[int]) -> tuple[int, ...]:
    """Its index along each axis."""
    place = []
    for size in reversed(sizes):
        device, at = divmod(device, size)
        place.append(at)
    return tuple(reversed(place))


def _part(name: str, size: int, indices: set[int]) -> _Part | None:
    """The part of an axis that has these indices, 0 among them; None if that is no part of it."""
    count, step = len(indices), min(indices - {0}, default=0)
    if not step or indices != set(range(0, count * step, step)) or size % (count * step):
        return None
    return name, size // (count * step), count


def _groups_along(parts: Sequence[_Part], mesh: MeshShape) -> Iterator[frozenset[int]]:
    shape: list[int] = []
    inner: list[int] = []
    known = {name: (before, size) for name, before, size in parts}
    for name, whole in mesh.axes.items():
        before, size = known.get(name, (whole, 1))
        if name in known:
            inner.append(len(shape) + 1)
        shape += [before, size, whole // before // size]
    outer = [axis for axis in range(len(shape)) if axis not in inner]
    devices = transposed(range(prod(shape)), shape, [*outer, *inner])
    length = prod(shape[axis] for axis in inner)
    for at in range(0, len(devices), length):
        yield frozenset(devices[at : at + length])
