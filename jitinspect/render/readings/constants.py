"""`constants` as a table: each array that the function closed over, largest first, and their sum."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from jitinspect.model.readings import Constant, ConstantsReport
from jitinspect.render.readings.percall import by_call
from jitinspect.render.text import ALL, Painter, count, cut_middle, cut_place, fitted, shown_path, size

LARGE = 100_000
"""From this size in bytes on, an array should be an argument: as a constant, it slows every stage."""
_LARGE, _DIM, _BOLD = "33", "2", "1"
_MOST = 20
"""Rows of a table, unless verbose."""
_LEAST = 9
"""The least columns for a name, a line, and how a constant enters."""


_NONE = {False: "the function closes over no arrays", True: "the module has no arrays in it"}


def render(report: ConstantsReport, painter: Painter, width: int, verbose: bool) -> Iterator[str]:
    """The table of each call, then the sum over all of them."""
    if not report.constants:
        yield f"no constants: {_NONE[report.of_file]}\n"
        return
    for heading, constants in by_call(report.constants, painter, ALL if verbose else width):
        yield heading
        yield from _table(constants, painter, width, verbose)
        yield "\n"
    total = sum(one.bytes for one in report.constants)
    yield painter(f"{size(total)} in {count(len(report.constants), 'constant')}", _BOLD) + "\n"
    yield from _hint(report.constants, painter, width)


def _table(constants: list[Constant], painter: Painter, width: int, verbose: bool) -> Iterator[str]:
    heads = ("name", "type", "bytes", "uses", "used at", "enters as")
    most = ALL if verbose else _MOST
    rows = [_cells(one) for one in constants[:most]]
    widths = [max(len(cell) for cell in column) for column in zip(heads, *rows, strict=True)]
    widths = widths if verbose else _fitted(widths, width)
    yield painter(_line(heads, widths), _DIM) + "\n"
    for one, cells in zip(constants[:most], rows, strict=False):
        yield painter(_line(cells, widths), _LARGE if one.bytes >= LARGE else "") + "\n"
    if left := constants[most:]:
        more = f"… and {len(left):,} more, {size(sum(one.bytes for one in left))}; -v shows all"
        yield painter(more, _DIM) + "\n"


def _cells(one: Constant) -> tuple[str, ...]:
    source = "–" if one.source is None else shown_path(one.source)
    return one.name or "–", one.type, size(one.bytes), str(one.uses), source, one.enters


_PLACE = 4
"""The column of the line."""


def _fitted(widths: list[int], width: int) -> list[int]:
    """Numbers keep their columns; the others shrink until the line fits."""
    room = width - 2 * (len(widths) - 1) - sum(widths[2:4])
    name, type_, source, enters = fitted([*widths[:2], *widths[4:]], room, _LEAST)
    return [name, type_, *widths[2:4], source, enters]


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    """Numbers are right-aligned."""
    cuts = [cut_place if column == _PLACE else cut_middle for column in range(len(cells))]
    shown = (cut(cell, room) for cut, cell, room in zip(cuts, cells, widths, strict=True))
    aligned = (
        f"{cell:>{room}}" if column in (2, 3) else f"{cell:<{room}}"
        for column, (cell, room) in enumerate(zip(shown, widths, strict=True))
    )
    return "  ".join(aligned).rstrip()


def _hint(constants: tuple[Constant, ...], painter: Painter, width: int) -> Iterator[str]:
    large = list(dict.fromkeys(one.name or one.type for one in constants if one.bytes >= LARGE))
    if not large:
        return
    named = ", ".join(large[:3]) + (f" and {len(large) - 3} more" if len(large) > 3 else "")
    why = "a constant is lowered, compiled and hashed with the program, and a new value compiles it again"
    text = f"hint: pass {named} as an argument; {why}"
    yield from (painter(line, _LARGE) + "\n" for line in textwrap.wrap(text, width, **_WHOLE_WORDS))


_WHOLE_WORDS: Any = {"subsequent_indent": "  ", "break_long_words": False, "break_on_hyphens": False}
