"""Brackets beside source lines, which join the lines of one fusion."""

from __future__ import annotations

from collections.abc import Sequence

from jitinspect.model.readings import SourceLine

MOST_COLUMNS = 4
"""Fusions that need more columns are only in the JSON, and in `-v`."""


def gutter(lines: Sequence[SourceLine]) -> list[str]:
    """The part of the brackets beside each line, all of one width.

    Fusions of the same lines share a bracket; one of a single line has none. The longest are outermost.
    """
    spans = sorted(_spans(lines), key=lambda rows: (rows[0] - rows[-1], rows[0]))
    columns: list[list[str]] = []
    for rows in spans:
        column = next(
            (one for one in columns if not any(c.strip() for c in one[rows[0] : rows[-1] + 1])), None
        )
        if column is None:
            if len(columns) == MOST_COLUMNS:
                continue
            column = [" "] * len(lines)
            columns.append(column)
        _draw(column, rows)
    return ["".join(parts) for parts in zip(*columns, strict=True)] if columns else [""] * len(lines)


def _spans(lines: Sequence[SourceLine]) -> set[tuple[int, ...]]:
    """The rows of each fusion that has more than one."""
    rows: dict[str, list[int]] = {}
    for row, line in enumerate(lines):
        for name in line.fusions:
            rows.setdefault(name, []).append(row)
    return {tuple(found) for found in rows.values() if len(found) > 1}


def _draw(column: list[str], rows: tuple[int, ...]) -> None:
    for row in range(rows[0], rows[-1] + 1):
        column[row] = "├" if row in rows else "│"
    column[rows[0]], column[rows[-1]] = "╭", "╰"
