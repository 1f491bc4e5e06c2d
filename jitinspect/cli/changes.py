"""What a save changed in a report, as text."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from itertools import islice
from typing import Any

from jitinspect.cli.output import as_text
from jitinspect.errors import JitinspectError
from jitinspect.model import Report
from jitinspect.model.differences import DiffReport, Quantity
from jitinspect.model.readings import CostReport, SourceReport
from jitinspect.readings.diff.measured import compare_times, is_timed
from jitinspect.readings.diff.sides import compare, sides_of
from jitinspect.render.readings import diff
from jitinspect.render.text import Painter, amount, size

_CONTEXT = 3
"""Lines, or operations, around each change."""
_BLOCK, _GONE, _CAME = "36", "31", "32"


def changes(before: Any, after: Any, as_lines: bool, color: bool, width: int, verbose: bool) -> Iterator[str]:
    """Nothing where nothing changed. The stages of a program are compared as `diff` does it, unless their
    texts are to be compared `as_lines`; and so are measured times, of which no two are equal.
    """
    old, new = ("".join(as_text(one, False, width, verbose)) for one in (before, after))
    if old == new:
        return
    painter = Painter(color)
    found = [] if as_lines else _differences(before, after)
    differing = [one for one in found if not one.diff.same]
    for one in differing:
        if len(found) > 1:
            yield f"\n{one.after}\n"
        yield from diff.changes(one, painter, width, verbose)
    if not differing and not any(one.times for one in found):
        yield from _totals(before, after)
        yield from _lines(old, new, painter)


def _differences(before: Any, after: Any) -> list[DiffReport]:
    """One for each call; none where the reports have nothing that `diff` compares."""
    if is_timed(before) and is_timed(after):
        return [compare_times([before], [after], ("before", "after"))]
    if not isinstance(before, Report) or not isinstance(after, Report):
        return []
    try:
        sides = [sides_of(report, report.target.signature) for report in (before, after)]
        return [compare(old, new, (), _CONTEXT) for old, new in zip(*sides, strict=True)]
    except (JitinspectError, ValueError):  # without a stage that compares, or with more calls than before
        return []


def _totals(before: Any, after: Any) -> Iterator[str]:
    """`FLOPs 1.2 M → 1.5 M · bytes 8 kB → 9 kB`, of reports that have them, where one has changed."""
    old, new = _flops_and_bytes(before), _flops_and_bytes(after)
    if old and new and old != new:
        flops, moved = (Quantity(*pair) for pair in zip(old, new, strict=True))
        yield f"FLOPs {diff.either(flops, amount)} · bytes {diff.either(moved, size)}\n"


def _flops_and_bytes(report: Any) -> tuple[int, int] | None:
    if isinstance(report, CostReport):
        return report.cost.flops, report.cost.bytes
    if isinstance(report, SourceReport):
        lines = report.source.lines
        return sum(line.flops or 0 for line in lines), sum(line.bytes or 0 for line in lines)
    return None


def _lines(old: str, new: str, painter: Painter) -> Iterator[str]:
    """A unified diff of the texts."""
    found = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=_CONTEXT)
    for line in islice(found, 2, None):  # after the names of files
        yield painter(line, {"@": _BLOCK, "-": _GONE, "+": _CAME}.get(line[0], "")) + "\n"
