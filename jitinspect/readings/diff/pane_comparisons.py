"""The panes of two explorations, compared line by line as `diff` compares them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from jitinspect.model.comparisons import ADDED, CHANGED, REMOVED, PaneComparison
from jitinspect.model.differences import Quantity
from jitinspect.model.explorations import Exploration, Pane
from jitinspect.readings.diff.block_rows import Comparison
from jitinspect.readings.diff.changed_words import Words
from jitinspect.readings.diff.line_rows import LineRow, rows_of_lines, rows_of_programs
from jitinspect.readings.diff.stage_texts import parsed, summary

_PYTHON = "python"


def compared_panes(before: Exploration, after: Exploration, both: Sequence[Pane]) -> Iterator[PaneComparison]:
    """Of the sources of the targets, if they are two, and of each stage that both have. `both` are the panes
    of the two in one exploration: of each stage, `hlo before` and `hlo after`.
    """
    first, second = before.panes[0], after.panes[0]
    if first.language == second.language == _PYTHON and first.name != second.name:
        yield _of_sources(first, second)
    named = {pane.name: pane for pane in both}
    for pane in both:
        stage, _, side = pane.name.rpartition(" ")
        if side != "before" or pane.file is not None:
            continue
        other = named[f"{stage} after"]
        if pane.unavailable is None and other.unavailable is None:
            yield _of_stages(stage, pane, other)


def _of_sources(before: Pane, after: Pane) -> PaneComparison:
    texts = before.text.split("\n"), after.text.split("\n")
    rows = rows_of_lines(*texts)
    kinds = [row.kind for row in rows]
    return _comparison(
        before,
        after,
        rows,
        name=_PYTHON,
        operations=(len(texts[0]), len(texts[1])),
        changed=kinds.count(CHANGED),
        added=kinds.count(ADDED),
        removed=kinds.count(REMOVED),
    )


def _of_stages(stage: str, before: Pane, after: Pane) -> PaneComparison:
    programs = parsed(stage, before.text), parsed(stage, after.text)
    comparison = Comparison(*programs)
    blocks = comparison.all_blocks()
    told = summary(stage, comparison, blocks)
    return _comparison(
        before,
        after,
        rows_of_programs(*programs, blocks),
        name=stage,
        operations=(told.operations.before or 0, told.operations.after or 0),
        changed=told.changed,
        added=told.added,
        removed=told.removed,
        ops=told.ops,
        flops=_pair(told.flops),
        bytes=_pair(told.bytes),
    )


def _pair(quantity: Quantity | None) -> tuple[int | None, int | None] | None:
    return None if quantity is None else (quantity.before, quantity.after)


def _comparison(before: Pane, after: Pane, rows: Sequence[LineRow], **known: Any) -> PaneComparison:
    changes: dict[Words, int] = {}
    words = tuple(changes.setdefault(row.words, len(changes)) for row in rows if row.kind == CHANGED)
    return PaneComparison(
        before=before.name,
        after=after.name,
        rows=tuple(_runs(rows)),
        words=words,
        changes=tuple((one.before, one.after) for one in changes),
        **known,
    )


def _runs(rows: Sequence[LineRow]) -> Iterator[tuple[int, int, int, int]]:
    """Rows of a kind whose lines go on on both sides."""
    numbered = enumerate(rows)
    for _, run in groupby(numbered, lambda one: _step(*one)):
        found = [row for _, row in run]
        yield found[0].kind, found[0].before, found[0].after, len(found)


def _step(number: int, row: LineRow) -> tuple[int, int | None, int | None]:
    """The same for rows of one run."""
    before = row.before - number if row.before >= 0 else None
    after = row.after - number if row.after >= 0 else None
    return row.kind, before, after
