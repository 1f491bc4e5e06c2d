"""Which devices take part in a collective with each other: `replica_groups` and pairs of HLO, in all forms.

`{{0,1},{2,3}}` lists the groups; `[2,4]<=[4,2]T(1,0)` says how the devices, counted up, are arranged into two
groups of four; `mesh['axis_0'=4,'axis_1'=2] {'axis_0':(1)2}` names the axes, or the parts of axes, of a mesh
that XLA made up. Its devices may be in another order: `mesh['axis_0'=8], device_ids=([4,2]T(1,0)) {…}`.
`{}` is one group of all. Seen on jaxlib 0.10.2 and 0.12.0.1; the notation of a part, `(size of what is before
it)size`, is that of XLA's `MeshAxesReplicaGroupList`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from math import prod

Groups = tuple[tuple[int, ...], ...]

_GROUPS = re.compile(
    r"replica_groups=(?:(?P<listed>\{(?:\{[\d,]*\},?)*\})"
    r"|(?P<rows>\[[\d,]+\]<=\[[\d,]+\](?:T\([\d,]+\))?)"
    r"|mesh\[(?P<mesh>[^\]]*)\](?P<ids>[^{]*)\{(?P<axes>[^}]*)\})"
)
_PAIRS = re.compile(r"source_target_pairs=\{((?:\{\d+,\d+\},?)*)\}")
_IOTA = re.compile(r"(?:<=)?\[([\d,]+)\](?:T\(([\d,]+)\))?")
"""What follows the shape of the groups; all of it where the devices of a mesh are in another order."""
_AXIS = re.compile(r"'?([\w.\-]+)'?(?:=(\d+)|:\((\d+)\)(\d+))?")
_INNER = re.compile(r"\{([\d,]*)\}")


def groups(attributes: str, devices: int) -> Groups | None:
    """The groups that an instruction's attributes name, of so many devices; None in an unknown form."""
    found = _GROUPS.search(attributes)
    return _groups(devices, **found.groupdict()) if found else None


@lru_cache(maxsize=1024)
def _groups(
    devices: int, listed: str | None, rows: str | None, mesh: str, ids: str, axes: str
) -> Groups | None:
    """By the parts of `_GROUPS`: many instructions have the same."""
    if listed is not None:
        return tuple(map(_numbers, _INNER.findall(listed[1:-1]))) or (tuple(range(devices)),)
    if rows is not None:
        shape, _, arranged = rows.partition("<=")
        return _rows(iota(arranged), _numbers(shape[1:-1])[-1])
    return _of_axes(mesh, ids, axes)


def pairs(attributes: str) -> Groups | None:
    """The pairs (source, target) of a permutation; None if none are given."""
    found = _PAIRS.search(attributes)
    return tuple(_numbers(one) for one in _INNER.findall(found[1])) if found else None


def iota(text: str) -> tuple[int, ...]:
    """The devices in the order of `[4,2]T(1,0)`: counted up in that shape, its axes brought into another."""
    found = _IOTA.search(text)
    assert found is not None, text
    reshaped = _numbers(found[1])
    order = _numbers(found[2]) if found[2] else tuple(range(len(reshaped)))
    return transposed(range(prod(reshaped)), reshaped, order)


def transposed(values: Sequence[int], shape: Sequence[int], order: Sequence[int]) -> tuple[int, ...]:
    """The values of an array of that shape, its axes brought into another order."""
    steps = [prod(shape[axis + 1 :]) for axis in range(len(shape))]
    places = product(*(range(0, shape[axis] * steps[axis], steps[axis] or 1) for axis in order))
    return tuple(values[sum(place)] for place in places)


def _of_axes(mesh: str, ids: str, axes: str) -> Groups | None:
    """Each axis is split where a part of it is named, so that the groups lie along whole ones."""
    if ids.strip() and not _IOTA.search(ids):
        return None
    sizes = {name: int(size) for name, size, _, _ in _AXIS.findall(mesh) if size}
    parts = [
        (name, int(before or 1), int(size or sizes[name])) for name, _, before, size in _AXIS.findall(axes)
    ]
    shape: list[int] = []
    along: dict[tuple[str, int], int] = {}
    for name, whole in sizes.items():
        before = 1
        for _, start, size in sorted(part for part in parts if part[0] == name):
            shape.append(start // before)
            along[name, start] = len(shape)
            shape.append(size)
            before = start * size
        shape.append(whole // before)
    inner = [along[name, before] for name, before, _ in parts]
    outer = [axis for axis in range(len(shape)) if axis not in inner]
    devices = iota(ids) if ids.strip() else tuple(range(prod(shape)))
    return _rows(transposed(devices, shape, [*outer, *inner]), prod(shape[axis] for axis in inner))


def _rows(values: Sequence[int], length: int) -> Groups:
    return tuple(tuple(values[at : at + length]) for at in range(0, len(values), length))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(","))) if text else ()
