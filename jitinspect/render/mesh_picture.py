"""A mesh drawn as a grid of its devices: the last axis to the right, the one before it down, a grid for each
step of the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product, zip_longest
from math import prod

from jitinspect.model.communication import MeshShape
from jitinspect.render.text import Painter

MOST = 16
"""Rows and columns of a grid; in a longer one those before the last are left out."""
_MOST_GRIDS = 4
_TINTS = ("7;36", "7;33", "7;35", "7;32", "7;34", "7;31")
"""Neighbouring parts differ in colour; with six, two parts may share one."""
_DIM = "2"
_GAP = "…"
_BETWEEN = 3
"""Columns between two pictures."""

Axes = tuple[tuple[str, ...], ...]
Block = list[str]
"""Lines that may be painted."""


def title(mesh: MeshShape) -> str:
    """`mesh data=4, model=2`."""
    return f"mesh {', '.join(f'{name}={size}' for name, size in mesh.axes.items())}"


def of_devices(mesh: MeshShape, painter: Painter, width: int) -> Iterator[str]:
    """The ids of the devices; partition numbers if they are not known."""
    ids = mesh.devices or range(prod(mesh.sizes))
    grids = _grids(mesh, [str(one) for one in ids], None, painter, width, MOST)
    yield from beside(grids, width)


def of_parts(mesh: MeshShape, axes: Axes, painter: Painter, width: int, most: int) -> list[Block]:
    """Which part of an array each device has, if the `axes` divide its dimensions: the same letter or number
    is the same part.
    """
    numbers = parts(mesh, axes)
    return _grids(mesh, names(numbers), numbers, painter, width, most)


def parts(mesh: MeshShape, axes: Axes) -> list[int]:
    """The number of the part that each device has, counted along the last dimension first."""
    numbers = [0] * prod(mesh.sizes)
    for axis in (name for names in axes for name in names):
        size, stride = mesh.size_and_stride(axis)
        numbers = [part * size + at // stride % size for at, part in enumerate(numbers)]
    return numbers


def names(numbers: Sequence[int]) -> list[str]:
    """Letters while there are enough of them."""
    if max(numbers) < 26:
        return [chr(ord("A") + number) for number in numbers]
    return [str(number) for number in numbers]


def _grids(
    mesh: MeshShape,
    cells: Sequence[str],
    tints: Sequence[int] | None,
    painter: Painter,
    width: int,
    most: int,
) -> list[Block]:
    """A grid for each step of the axes before the last two."""
    outer = len(mesh.sizes[:-2])
    steps = list(product(*map(range, mesh.sizes[:outer])))
    size = prod(mesh.sizes[outer:])
    shown = _kept(len(steps), _MOST_GRIDS)
    wide = max(map(len, cells))
    found: list[Block] = []
    for at in shown:
        if at is None:
            found.append([_GAP])
            continue
        named = zip(mesh.names[:outer], steps[at], strict=True)
        title = ", ".join(f"{name}={step}" for name, step in named)
        part = slice(at * size, (at + 1) * size)
        grid = _Grid(mesh, cells[part], tints[part] if tints else None, painter, wide)
        found.append([*([title] if title else []), *grid.lines(width, most)])
    return found


class _Grid:
    """One grid: its cells in order, each of `wide` columns and a space."""

    def __init__(
        self, mesh: MeshShape, cells: Sequence[str], tints: Sequence[int] | None, painter: Painter, wide: int
    ) -> None:
        self._cells, self._tints, self._painter, self._wide = cells, tints, painter, wide
        self._down, self._right = ("", *mesh.names)[-2:]
        self._columns = mesh.sizes[-1]

    def lines(self, width: int, most: int) -> Iterator[str]:
        label = f"{self._down} ↓ " if self._down else ""
        fit = max((width - len(label)) // (self._wide + 1), 3)
        shown = _kept(self._columns, min(most, fit))
        yield self._painter(f"{' ' * len(label)}{self._right} →", _DIM)
        for number, row in enumerate(_kept(len(self._cells) // self._columns, most)):
            before = label if number == 0 else " " * len(label)
            texts = "".join(self._cell(row, column) for column in shown)
            yield self._painter(before, _DIM) + texts.rstrip()

    def _cell(self, row: int | None, column: int | None) -> str:
        if row is None or column is None:
            return f"{_GAP:>{self._wide}} "
        at = row * self._columns + column
        text = f"{self._cells[at]:>{self._wide}} "
        return self._painter(text, _TINTS[self._tints[at] % len(_TINTS)]) if self._tints else text


def _kept(count: int, most: int) -> list[int | None]:
    """The indices to show, None for those left out."""
    if count <= most:
        return list(range(count))
    return [*range(max(most - 2, 1)), None, count - 1]


def beside(blocks: Iterable[Block], width: int) -> Iterator[str]:
    """The blocks side by side, in as many rows as needed; each line with its end."""
    row: list[Block] = []
    for block in blocks:
        if row and _width([*row, block]) > width:
            yield from _row(row)
            row = []
        row.append(block)
    if row:
        yield from _row(row)


def _width(row: Sequence[Block]) -> int:
    return sum(max(map(columns, block)) for block in row) + _BETWEEN * (len(row) - 1)


def _row(row: Sequence[Block]) -> Iterator[str]:
    widths = [max(map(columns, block)) for block in row]
    for lines in zip_longest(*row, fillvalue=""):
        padded = (line + " " * (wide - columns(line)) for line, wide in zip(lines, widths, strict=True))
        yield (" " * _BETWEEN).join(padded).rstrip() + "\n"


def columns(line: str) -> int:
    """How many a line takes on a terminal, without the escape codes of a painter."""
    plain, *painted = line.split("\x1b[")
    return len(plain) + sum(len(part.partition("m")[2]) for part in painted)
