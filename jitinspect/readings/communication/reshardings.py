"""Between which two shardings a collective of the partitioner's moves a value.

Its own form tells the dimension that it joins or divides, and the axes. The others are known if the value is
an argument, whose sharding is known; or if only one shape among those that the program makes by the value's
primitive can have been divided into what a device has, and by one choice of axes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from math import prod
from typing import TYPE_CHECKING

from jitinspect.ir.collectives import CollectiveOperation
from jitinspect.ir.hlo_sharding import Axes, spec_text
from jitinspect.model.communication import MeshShape
from jitinspect.readings.communication.moved_values import MovedValue

if TYPE_CHECKING:
    from jitinspect.jaxapi.source_lines.global_shapes import Shapes

_Axes = tuple[str, ...]
_Dimensions = list[_Axes | None]
"""The axes over which each dimension is sharded, None where that is not known."""


def resharding(
    one: CollectiveOperation,
    axes: _Axes,
    value: MovedValue,
    arguments: Mapping[str, Axes],
    shapes: Shapes,
    mesh: MeshShape | None,
) -> tuple[str | None, str | None]:
    """Before and after, as `P(…)` in JAX's notation with a `?` for a dimension that is not known; None where
    nothing is, such as for an exchange or for several merged into one. `mesh` has the `axes`; `arguments` are
    the shardings of the call's arguments, by path, `shapes` those of all that the program makes.
    """
    if len(one.received) != 1 or not axes or mesh is None:
        return None, None
    dims, at = one.received[0].dims, one.dimension
    if one.kind == "all-reduce":
        known = _known(dims, axes, value, arguments, shapes, mesh)
        return spec_text(known, axes), spec_text(known)
    if at is None or at >= len(dims):
        return None, None
    if one.kind == "all-gather":
        after = _known(dims, axes, value, arguments, shapes, mesh, at)
        return spec_text(_changed(after, at, (*(after[at] or ()), *axes))), spec_text(after)
    if one.kind == "reduce-scatter":
        whole = (*dims[:at], dims[at] * one.group, *dims[at + 1 :])
        before = _known(whole, axes, value, arguments, shapes, mesh)
        return spec_text(before, axes), spec_text(_changed(before, at, (*(before[at] or ()), *axes)))
    return None, None


def _known(
    dims: Sequence[int],
    axes: _Axes,
    value: MovedValue,
    arguments: Mapping[str, Axes],
    shapes: Shapes,
    mesh: MeshShape,
    gathered: int | None = None,
) -> _Dimensions:
    """How an array of which a device has `dims` is sharded, over other axes than those of the collective.
    `gathered` is the dimension that an all-gather joined.
    """
    free = {name: size for name, size in mesh.axes.items() if name not in axes}
    if all(size == 1 for size in free.values()) and not any(":" in name for name in axes):
        return [()] * len(dims)
    given = arguments.get(value.argument)
    if given is not None and not value.is_turned and len(given) <= len(dims):
        spec: _Dimensions = [given[at] if at < len(given) else () for at in range(len(dims))]
        if gathered is not None:
            spec = _changed(spec, gathered, tuple(name for name in spec[gathered] or () if name not in axes))
        return spec
    fitting = _fitting(shapes.get(value.primitive, frozenset()), tuple(dims), tuple(free.items()))
    return list(*fitting) if len(fitting) == 1 else [None] * len(dims)


@lru_cache(maxsize=1024)
def _fitting(
    shapes: frozenset[tuple[int, ...]], dims: tuple[int, ...], free: tuple[tuple[str, int], ...]
) -> frozenset[tuple[_Axes, ...]]:
    """Each choice of axes by which one of the shapes is divided into these dimensions. Layers are alike."""
    return frozenset(found for shape in shapes for found in _divisions(shape, dims, dict(free)))


def _divisions(
    shape: Sequence[int], dims: tuple[int, ...], free: Mapping[str, int]
) -> Iterator[tuple[_Axes, ...]]:
    """Each choice of axes by which an array of the shape is divided into these dimensions."""
    if len(shape) != len(dims) or any(not own or whole % own for whole, own in zip(shape, dims, strict=True)):
        return
    if not dims:
        yield ()
        return
    for axes in _products(free, shape[0] // dims[0]):
        left = {name: size for name, size in free.items() if name not in axes}
        for rest in _divisions(shape[1:], dims[1:], left):
            yield (axes, *rest)


def _products(free: Mapping[str, int], number: int) -> Iterator[_Axes]:
    """The axes, in the order of the mesh, whose sizes make up a number."""
    names = [name for name, size in free.items() if size > 1]
    for count in range(len(names) + 1):
        for chosen in combinations(names, count):
            if prod(free[name] for name in chosen) == number:
                yield chosen


def _changed(dims: _Dimensions, at: int, axes: _Axes) -> _Dimensions:
    return [*dims[:at], axes, *dims[at + 1 :]]
