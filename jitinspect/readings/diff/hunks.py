"""Rows that differ, and those around them, as lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jitinspect.model.differences import Hunk
from jitinspect.readings.diff.block_rows import BlockRows
from jitinspect.readings.diff.row_layouts import Layout
from jitinspect.readings.diff.sides_of_rows import Text


class _Template(NamedTuple):
    """The lines of a hunk, with `%s` for the names that are at `places` on the left."""

    lines: str
    places: list[int]


class Hunks:
    """Those of blocks, with so many rows of `context`. Blocks with one layout differ in names alone."""

    def __init__(self, context: int) -> None:
        self._context = context
        self._templates: dict[Layout, list[_Template]] = {}

    def of(self, block: BlockRows) -> Iterator[Hunk]:
        layout = block.layout
        if layout.shown is None:
            for rows in self._ranges(layout):
                yield Hunk(block.name, tuple(f"{sign} {text}" for sign, text in _lines(block, rows)))
            return
        if layout not in self._templates:
            places = range(len(block.sides.left.names)), layout.shown
            self._templates[layout] = [_template(block, rows, places) for rows in self._ranges(layout)]
        names = block.sides.left.names
        for lines, at in self._templates[layout]:
            yield Hunk(block.name, tuple((lines % tuple([names[place] for place in at])).split("\n")))

    def _ranges(self, layout: Layout) -> Iterator[range]:
        """Changes that are closer together than twice the context share a hunk."""
        changed = [at for at, is_same in enumerate(layout.same) if not is_same]
        start = 0
        for index, at in enumerate(changed):
            last = index == len(changed) - 1
            if last or changed[index + 1] - at > 2 * self._context + 1:
                yield range(
                    max(0, changed[start] - self._context), min(len(layout.rows), at + self._context + 1)
                )
                start = index + 1


def _lines(block: BlockRows, rows: Sequence[int]) -> Iterator[tuple[str, Text]]:
    """Each with its sign."""
    layout, sides = block.layout, block.sides
    for at in rows:
        i, j = layout.rows[at]
        if i is not None:
            yield " " if layout.same[at] else "-", sides.before(i)
        if j is not None and not layout.same[at]:
            yield "+", sides.after(j)


def _template(block: BlockRows, rows: Sequence[int], shown: tuple[Sequence[int], Sequence[int]]) -> _Template:
    """`shown` are the places on the left of all names of the left, and of those of the right."""
    layout, sides = block.layout, block.sides
    lines: list[str] = []
    places: list[int] = []

    def add(sign: str, side: int, at: int) -> None:
        made = (sides.left, sides.right)[side]
        lines.append(f"{sign} {made.form(at).template}")
        places.extend(shown[side][made.skeleton.starts[at] : made.skeleton.starts[at + 1]])

    for row in rows:
        i, j = layout.rows[row]
        if i is not None:
            add(" " if layout.same[row] else "-", 0, i)
        if j is not None and not layout.same[row]:
            add("+", 1, j)
    return _Template("\n".join(lines), places)
