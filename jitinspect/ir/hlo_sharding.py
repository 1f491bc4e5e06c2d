"""The shardings that XLA prints → the axes of a mesh that divide each dimension of an array.

Three forms, with the same meaning: `{devices=[4,1,2]<=[8] last_tile_dim_replicate}`, an array of partitions
tile by tile, as a formula (`[2,4]<=[4,2]T(1,0)`: count, reshape, transpose) or as a list; the named one,
`{mesh['data'=4,'model'=2], [{'data'}, {}]}`; and words: `{replicated}`, `{manual}`, `{maximal device=0}`.
Seen on jaxlib 0.8.3 and 0.10.2 (the first) and 0.12.0 (named).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod

from jitinspect.ir import device_groups
from jitinspect.model.communication import MeshShape

_TILES = re.compile(r"devices=\[([\d,]+)\](?:<=\[([\d,]+)\](?:T\(([\d,]+)\))?|([\d,]+))?")
_KINDS = re.compile(r"last_tile_dims=\{([\w, ]*)\}")
_MESH = re.compile(r"mesh\[([^\]]*)\]")
_MESH_ORDER = re.compile(r"device_ids=\((?:\[([\d,]+)\](?:T\(([\d,]+)\))?|([\d,]+))\)")
_SIZE = re.compile(r"'([^']*)'=(\d+)")
_AXIS = re.compile(r"'([^']*)'(?::\((\d+)\)(\d+))?")
_SUBGROUP = re.compile(r"(manual|unreduced)=\{([^}]*)\}")
_COMMENT = re.compile(r"/\*.*?\*/")

Axes = tuple[tuple[str, ...], ...]
"""The axes that divide each dimension, the outer one first; `data:(1)2` is a part of an axis, as Shardy
writes it: of size 2, with 1 part of the axis before it.
"""


@dataclass(frozen=True, slots=True)
class Layout:
    """How an array lies on a mesh. Over axes that are `manual`, inside a `shard_map`, its shape is already
    that of one device; over `unreduced` ones each device has a term of a sum.
    """

    axes: Axes
    manual: tuple[str, ...] = ()
    unreduced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Tiled:
    """One way in which partitions differ: `index` is the tile of each partition. Of a dimension of the array,
    or for `kind` "manual", "unreduced" and "replicated", of none.
    """

    kind: str
    index: tuple[int, ...]


def attribute(rest: str) -> str | None:
    """The sharding among an instruction's attributes, with its braces; None if it has none."""
    start = rest.find("sharding={")
    return rest[start + 9 : _closing(rest, start + 9) + 1] if start >= 0 else None


def elements(text: str) -> tuple[str, ...]:
    """The shardings of a tuple's elements; that of an array alone."""
    inside = _COMMENT.sub("", text[1:-1]).strip()
    if not inside.startswith("{"):
        return (text,)
    found, at = [], 0
    while (at := inside.find("{", at)) >= 0:
        end = _closing(inside, at) + 1
        found.append(inside[at:end])
        at = end
    return tuple(found)


def _closing(text: str, opening: int) -> int:
    depth = 0
    for at in range(opening, len(text)):
        depth += (text[at] == "{") - (text[at] == "}")
        if depth == 0:
            return at
    return len(text)


@lru_cache(maxsize=4096)
def layout(text: str, mesh: MeshShape, rank: int) -> Layout | None:
    """How an array of `rank` dimensions lies on `mesh`; None for a sharding that is not along its axes, or
    over another number of devices.

    A dimension that XLA adds to those of the user's array, such as the words of a random key, is left out.
    """
    words = re.sub(r"mesh\[[^\]]*\],? ?", "", text.strip("{}"))
    if words.startswith("replicated"):
        return Layout(((),) * rank)
    if words.startswith("manual"):
        whole = tuple(name for name, size in mesh.axes.items() if size > 1)
        return Layout(((),) * rank, manual=whole)
    tiled = tuple(_named(text) if "mesh[" in text else _listed(text))
    solved = [(one.kind, _axes(one.index, mesh)) for one in tiled]
    if not tiled or any(axes is None for _, axes in solved):
        return None

    def over(kind: str) -> Axes:
        return tuple(axes for found, axes in solved if found == kind and axes is not None)

    manual, unreduced = (tuple(axis for axes in over(kind) for axis in axes) for kind in _SUBGROUPS)
    return Layout((over("dimension") + ((),) * rank)[:rank], manual, unreduced)


_SUBGROUPS = ("manual", "unreduced")


def _listed(text: str) -> Iterator[_Tiled]:
    """`devices=[4,1,2]<=[8] last_tile_dim_replicate`."""
    if (found := _TILES.search(text)) is None:
        return
    tiles = _numbers(found[1])
    order = _order(found[2], found[3], found[4]) or tuple(range(prod(tiles)))
    kinds = _KINDS.search(text)
    last = kinds[1].split(", ") if kinds else ["replicated"] * ("last_tile_dim_replicate" in text)
    for at, kind in enumerate(["dimension"] * (len(tiles) - len(last)) + last):
        if kind != "replicated":
            yield _Tiled(kind, _by_partition(order, tiles[at], prod(tiles[at + 1 :])))


def _named(text: str) -> Iterator[_Tiled]:
    """`mesh['data'=4,'model'=2], [{'data'}, {}], manual={'model'}`."""
    sizes = {name: int(size) for name, size in _SIZE.findall(_MESH.findall(text)[0])}
    given = _MESH_ORDER.search(text)
    order = _order(*given.groups()) if given else tuple(range(prod(sizes.values())))
    dimensions = re.search(r"\], \[(.*?)\]|\), \[(.*?)\]", text)
    written = re.findall(r"\{([^}]*)\}", (dimensions[1] or dimensions[2] or "") if dimensions else "")
    for kind, axes in [*(("dimension", axes) for axes in written), *_SUBGROUP.findall(text)]:
        yield _Tiled(kind, _along(axes, sizes, order))


def _along(axes: str, sizes: dict[str, int], order: Sequence[int]) -> tuple[int, ...]:
    """The tile of each partition if a dimension is divided by the `axes`, as they are written."""
    names, index = list(sizes), [0] * len(order)
    for name, before, size in _AXIS.findall(axes):
        after = prod(sizes[other] for other in names[names.index(name) + 1 :])
        size, before = int(size or sizes[name]), int(before or 1)
        part = _by_partition(order, size, after * (sizes[name] // (before * size)))
        index = [outer * size + inner for outer, inner in zip(index, part, strict=True)]
    return tuple(index)


def _by_partition(order: Sequence[int], size: int, stride: int) -> tuple[int, ...]:
    """The index along one dimension of the array of partitions that `order` is, by the partition."""
    index = [0] * len(order)
    for place, partition in enumerate(order):
        index[partition] = place // stride % size
    return tuple(index)


def _order(reshaped: str | None, transposed: str | None, listed: str | None) -> tuple[int, ...]:
    """The partitions in order: listed, or counted, reshaped and transposed."""
    if not reshaped:
        return _numbers(listed or "")
    sizes = _numbers(reshaped)
    axes = _numbers(transposed) if transposed else range(len(sizes))
    return device_groups.transposed(range(prod(sizes)), sizes, axes)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(",") if number)


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of an axis, of prime `size`: `before` is the size of those before it in the axis, `stride` how
    far apart two partitions are that differ in it by one.
    """

    name: str
    before: int
    size: int
    stride: int


def _axes(index: Sequence[int], mesh: MeshShape) -> tuple[str, ...] | None:
    """The axes of `mesh` of whose coordinates `index` is made, the outer one first."""
    if len(index) != prod(mesh.sizes):
        return None
    steps = sorted(((index[part.stride], part) for part in _parts(mesh)), key=lambda one: -one[0])
    used = [(step, part) for step, part in steps if step]
    expected = 1
    for step, part in reversed(used):
        if step != expected:
            return None
        expected *= part.size
    made = (
        sum(step * (partition // part.stride % part.size) for step, part in used)
        for partition in range(len(index))
    )
    return _merged([part for _, part in used], mesh) if tuple(made) == tuple(index) else None


def _parts(mesh: MeshShape) -> Iterator[_Part]:
    for at, (name, size) in enumerate(mesh.axes.items()):
        before, after = 1, prod(mesh.sizes[at + 1 :])
        for prime in _primes(size):
            yield _Part(name, before, prime, after * size // (before * prime))
            before *= prime


def _primes(number: int) -> Iterator[int]:
    divisor = 2
    while number > 1:
        while number % divisor == 0:
            yield divisor
            number //= divisor
        divisor += 1


def _merged(parts: Sequence[_Part], mesh: MeshShape) -> tuple[str, ...]:
    """The names of the axes, those whose parts follow each other in one piece."""
    merged: list[tuple[str, int, int]] = []
    for part in parts:
        if merged and merged[-1][0] == part.name and merged[-1][1] * merged[-1][2] == part.before:
            name, before, size = merged.pop()
            merged.append((name, before, size * part.size))
        else:
            merged.append((part.name, part.before, part.size))
    return tuple(mesh.part(*one) for one in merged)


def spec_text(axes: Sequence[Sequence[str] | None], unreduced: Sequence[str] = ()) -> str:
    """`P('data', None)`; `P()` if no dimension is divided, and `?` for one of which that is not known."""
    entries = [_entry(names) for names in axes] if any(names is None or names for names in axes) else []
    if unreduced:
        entries.append(f"unreduced={{{', '.join(map(repr, unreduced))}}}")
    return f"P({', '.join(entries)})"


def _entry(names: Sequence[str] | None) -> str:
    if names is None:
        return "?"
    if len(names) == 1:
        return repr(names[0])
    return f"({', '.join(map(repr, names))})" if names else "None"
