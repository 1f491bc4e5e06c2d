"""Tables of numbers and texts, in columns that fit the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from jitinspect.render.text import Painter, cut_middle, cut_place, fitted

_DIM, _HOT, _WARM = "2", "1;31", "33"
_LEAST = 10
"""The least columns for a text."""

Row = tuple[tuple[str, ...], str]
"""The cells and the colour of a row."""


def table(
    heads: Sequence[str], texts: int, rows: Sequence[Row], painter: Painter, room: int
) -> Iterator[str]:
    """Numbers are right-aligned; texts, the last columns, are left-aligned, and cut if they do not fit: a
    `line` from the left.
    """
    numbers = len(heads) - texts
    wide = widths([heads, *(cells for cells, _ in rows)])
    taken = sum(wide[:numbers]) + 2 * (len(wide) - 1)
    wide[numbers:] = fitted(wide[numbers:], room - taken, _LEAST)
    yield painter(aligned(heads, wide, 0, texts), _DIM) + "\n"
    at = heads.index("line") if "line" in heads else None
    for cells, sgr in rows:
        cut = [cut_place(cell, wide[n]) if n == at else cell for n, cell in enumerate(cells)]
        yield painter(aligned(cut, wide, 0, texts), sgr) + "\n"


def widths(rows: Iterable[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def aligned(cells: Sequence[str], widths: Sequence[int], first: int, last: int = 0) -> str:
    """The `first` and the `last` cells are left-aligned, those between right-aligned."""
    parts = []
    for at, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        is_text = at < first or at >= len(cells) - last
        parts.append(f"{cut_middle(cell, width):<{width}}" if is_text else f"{cell:>{width}}")
    return "  ".join(parts).rstrip()


def percent(share: float) -> str:
    """Nothing for what rounds to none."""
    return f"{share:.0%}" if share >= 0.005 else ""


def heat(share: float) -> str:
    """The colour of a measured time, by its share."""
    return _HOT if share >= 0.5 else _WARM if share >= 0.1 else ""


def giga(rate: float | None) -> str:
    """In at most six columns, for rates that machines have."""
    if rate is None:
        return ""
    number = rate / 1e9
    return f"{number:,.0f}" if number >= 100 else f"{number:.2f}" if number >= 0.01 else "<0.01"
