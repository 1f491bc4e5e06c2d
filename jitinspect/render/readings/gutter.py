"""Brackets beside source lines: those of one fusion are joined."""

from __future__ import annotations

from collections.abc import Sequence

from jitinspect.model.readings import SourceLine

MOST_COLUMNS = 4
"""Fusions that would take more stand in the JSON, and under `-v`, alone."""


def gutter(lines: Sequence[SourceLine]) -> list[str]:
    """For each line the part of the brackets that passes it, all of one width.

    Fusions of the same lines share a bracket; one of a single line has none. The widest stand outside.
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
    """The rows of each fusion that has several."""
    rows: dict[str, list[int]] = {}
    for row, line in enumerate(lines):
        for name in line.fusions:
            rows.setdefault(name, []).append(row)
    return {tuple(found) for found in rows.values() if len(found) > 1}


def _draw(column: list[str], rows: tuple[int, ...]) -> None:
    for row in range(rows[0], rows[-1] + 1):
        column[row] = "├" if row in rows else "│"
    column[rows[0]], column[rows[-1]] = "╭", "╰"
