"""`sharding` as text: the meshes, tables of arrays, what could be sharded, and who has which part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from jitinspect.model.communication import ArraySharding, MeshShape, ShardingReport
from jitinspect.render import mesh_picture
from jitinspect.render.readings.columns import Row, table
from jitinspect.render.readings.percall import by_call
from jitinspect.render.text import ALL, Painter, count, cut_middle, cut_place, hanging, joined, size, whole

_BOLD, _COULD, _DIM, _LINE = "1", "33", "2", "36"
_BIG, _NOTABLE = 0.1, 0.001
"""What arrays could be sharded further is told if that saves these parts: of the largest such saving, and of
what all arguments and results take.
"""
_SMALL = 0.01
"""Values of lines that take less than this part of the largest one are left out."""
_MOST_COULD = 12
_MOST_GROUPS = 6
_MOST_CELLS = 8
"""Rows and columns of the picture of an array."""
_LEAST_TITLE = 22
"""Columns above a small picture."""
_NO_MESH = ("one device", "unused")


def render(report: ShardingReport, painter: Painter, width: int, verbose: bool) -> Iterator[str]:
    """Call by call; nothing is left out with `verbose`."""
    if not report.sharding:
        yield "the function takes and returns no arrays\n"
        return
    if not report.meshes and all(one.form in _NO_MESH for one in report.sharding) and not verbose:
        yield "no mesh: all of it is on one device, nothing is sharded\n"
        yield painter("hint: --mesh data=8, and arguments such as f32[128,784]@P('data')\n", _COULD)
        return
    for mesh in report.meshes:
        yield from _mesh(mesh, painter, width)
    for heading, rows in by_call(report.sharding, painter, ALL if verbose else width):
        yield heading
        yield from _call(rows, report.meshes, painter, width, verbose)


def pictures(report: ShardingReport, painter: Painter, width: int) -> Iterator[str]:
    """The meshes, and who has which part, alone; nothing where there is no mesh."""
    for mesh in report.meshes:
        yield from _mesh(mesh, painter, width)
    for heading, rows in by_call(report.sharding if report.meshes else (), painter, ALL):
        yield heading
        yield from _pictures(rows, report.meshes, painter, width, verbose=True)


def _mesh(mesh: MeshShape, painter: Painter, width: int) -> Iterator[str]:
    yield painter(mesh_picture.title(mesh), _BOLD) + "\n"
    yield from mesh_picture.of_devices(mesh, painter, width)
    yield "\n"


def _call(
    rows: Sequence[ArraySharding],
    meshes: Sequence[MeshShape],
    painter: Painter,
    width: int,
    verbose: bool,
) -> Iterator[str]:
    arrays = [row for row in rows if row.kind != "value"]
    values = [row for row in rows if row.kind == "value"]
    room = ALL if verbose else width
    yield from table(
        ("bytes", "array", "type", "sharding", "on a device"), 4, list(map(_row, arrays)), painter, room
    )
    yield "\n"
    yield from (painter(line, _BOLD) + "\n" for line in joined(list(_totals(arrays)), width))
    yield "\n"
    if values:
        yield from _values(values, painter, room, verbose)
    yield from _could(rows, arrays, painter, width, verbose)
    yield from _pictures(rows, meshes, painter, width, verbose)


def _row(one: ArraySharding) -> Row:
    name = one.path + (f" ×{one.count}" if one.count > 1 else "")
    return (size(one.device_bytes), name, _type(one), _sharding(one), _device_shape(one)), ""


def _type(one: ArraySharding) -> str:
    return f"{one.dtype}[{','.join(map(str, one.global_shape))}]"


def _sharding(one: ArraySharding) -> str:
    """`P('data', None)`, and the axes that a `shard_map` has taken, if it is inside one."""
    manual = f" manual: {', '.join(one.manual)}" if one.manual and one.spec else ""
    return (one.spec or one.form or "") + manual


def _device_shape(one: ArraySharding) -> str:
    return "all of it" if one.replicated else f"[{','.join(map(str, one.device_shape))}]"


def _totals(arrays: Sequence[ArraySharding]) -> Iterator[str]:
    for kind in ("argument", "result"):
        of = [one for one in arrays if one.kind == kind]
        yield f"{size(_bytes(of))} of {kind}s on a device"
    if replicated := [one for one in arrays if one.replicated]:
        yield f"{size(_bytes(replicated))} of them replicated ({count(len(replicated), 'array')})"


def _bytes(arrays: Iterable[ArraySharding]) -> int:
    return sum(one.device_bytes for one in arrays)


def _values(values: Sequence[ArraySharding], painter: Painter, room: int, verbose: bool) -> Iterator[str]:
    """Line by line, each under its line."""
    least = 0 if verbose else max(one.device_bytes for one in values) * _SMALL
    shown = [one for one in values if one.device_bytes >= least]
    heads = ("bytes", "value", "type", "sharding", "on a device")
    head, *rows = table(heads, 4, list(map(_row, shown)), painter, room)
    yield head
    line = None
    for one, row in zip(shown, rows, strict=True):
        if one.line != line:
            line = one.line
            yield painter(cut_place(line or "", room), _LINE) + "\n"
        yield row
    if left := len(values) - len(shown):
        yield painter(f"{left} more below 1 % of the largest; -v shows all", _DIM) + "\n"
    yield "\n"


def _could(
    rows: Sequence[ArraySharding],
    arrays: Sequence[ArraySharding],
    painter: Painter,
    width: int,
    verbose: bool,
) -> Iterator[str]:
    """What sharding over a free axis would save, the largest first; arrays that are alike are one row."""
    could = _alike(one for one in rows if one.could_save)
    least = max(_saved(could[0]) * _BIG, _bytes(arrays) * _NOTABLE) if could else 0
    big = could if verbose else [group for group in could if _saved(group) >= least]
    if not big:
        return
    shown = big if verbose else big[:_MOST_COULD]
    rule = "" if verbose else " (those that save a tenth of the first or more, and 0.1 % of all)"
    title = f"Sharding over free axes would save on a device{rule}:"
    yield from (painter(line, _COULD) + "\n" for line in hanging(title, width))
    cells = [
        ((size(_saved(group)), _named(group), _sharding(group[0]), group[0].better or ""), "")
        for group in shown
    ]
    yield from table(("saves", "array", "is", "could be"), 3, cells, painter, ALL if verbose else width)
    if left := len(big) - len(shown):
        yield painter(f"{left} more; -v shows all", _DIM) + "\n"
    note = "what is sharded must be gathered where all of it is used: jitinspect collectives shows that"
    yield from (painter(line, _DIM) + "\n" for line in hanging(note, width))
    yield "\n"


def _alike(rows: Iterable[ArraySharding]) -> list[list[ArraySharding]]:
    """Those of one type that lie alike: the weights of all layers, or what a line makes. The most first."""
    found: dict[object, list[ArraySharding]] = {}
    for one in rows:
        found.setdefault((one.kind, one.line, _type(one), one.mesh, _sharding(one)), []).append(one)
    return sorted(found.values(), key=lambda group: -_saved(group))


def _saved(group: Iterable[ArraySharding]) -> int:
    return sum(one.could_save * one.count for one in group)


def _named(group: Sequence[ArraySharding]) -> str:
    """The first, how many more there are, and the line of values."""
    first = group[0]
    number = sum(one.count for one in group)
    more = f" (+{number - 1} more)" if number > 1 else ""
    return first.path + more + (f" {first.line}" if first.line else "")


def _pictures(
    rows: Sequence[ArraySharding],
    meshes: Sequence[MeshShape],
    painter: Painter,
    width: int,
    verbose: bool,
) -> Iterator[str]:
    """Which device has which part, a picture for all arrays with the same sharding."""
    groups = _groups(one for one in rows if one.mesh is not None and any(one.axes))
    shown = groups if verbose else groups[:_MOST_GROUPS]
    if not shown:
        return
    yield painter("Which part each device has", _BOLD) + "\n"
    blocks = [_picture(group, meshes[group[0].mesh or 0], painter, width) for group in shown]
    yield from mesh_picture.beside(blocks, width)
    if left := len(groups) - len(shown):
        yield painter(f"{count(left, 'more sharding')}; -v shows all", _DIM) + "\n"


def _groups(rows: Iterable[ArraySharding]) -> list[list[ArraySharding]]:
    """Those that lie alike, the largest together first."""
    found: dict[object, list[ArraySharding]] = {}
    for one in rows:
        found.setdefault((one.mesh, one.axes), []).append(one)
    return sorted(found.values(), key=lambda group: -_bytes(group))


def _picture(
    group: Sequence[ArraySharding], mesh: MeshShape, painter: Painter, width: int
) -> mesh_picture.Block:
    first = group[0]
    grids = mesh_picture.of_parts(mesh, first.axes, painter, width, _MOST_CELLS)
    lines = [line.rstrip("\n") for line in mesh_picture.beside(grids, width)]
    room = max(_LEAST_TITLE, *map(mesh_picture.columns, lines))
    names = list(dict.fromkeys(one.path for one in group))
    return [
        painter(cut_middle(_sharding(first), room), _BOLD),
        whole(names, 0, room) or cut_middle(names[0], room),
        *lines,
        "",
    ]
