"""What differs: a summary, and then line by line."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from jitinspect.model import WORDS
from jitinspect.model.differences import (
    ChangedCollective,
    Difference,
    DiffReport,
    GoldenCheck,
    Quantity,
    Summary,
)
from jitinspect.render.readings import times_changed
from jitinspect.render.readings.columns import table
from jitinspect.render.text import Painter, amount, count, cut_middle, joined, shown_places, significant, size

_BOLD, _DIM, _GONE, _CAME, _BLOCK = "1", "2", "31", "32", "36"


def render(report: DiffReport, painter: Painter, width: int, verbose: bool = False) -> Iterator[str]:
    """The summary of each stage, then its changes; the text of a stage is never cut."""
    if report.golden:
        yield from _golden(report, painter, width)
        return
    if not report.times and all(one.same for one in report.stages):
        stages = ", ".join(one.stage for one in report.stages)
        yield f"{painter('same', _CAME)}: {stages} of {report.before} and {report.after}\n"
        return
    yield painter(f"- {report.before}", _GONE) + "\n"
    yield painter(f"+ {report.after}", _CAME) + "\n"
    yield from changes(report, painter, width, verbose)


def changes(report: DiffReport, painter: Painter, width: int, verbose: bool = False) -> Iterator[str]:
    """What differs, without a word on what was compared."""
    for time in report.times:
        yield from times_changed.render(time, painter, width, verbose)
    for one in report.stages:
        yield from _collectives(one.summary, painter, width)
    for one in report.stages:
        yield from _stage(one, painter, width)


def _golden(report: DiffReport, painter: Painter, width: int) -> Iterator[str]:
    for check in report.golden:
        word = painter("same     ", _CAME) if check.same else painter("differs  ", _GONE)
        yield f"{word}{check.file}{painter(f'  {check.told}' if check.told else '', _DIM)}\n"
    differing = [check for check in report.golden if not check.same]
    for check in differing:
        yield from _differing(check, painter, width)


def _differing(check: GoldenCheck, painter: Painter, width: int) -> Iterator[str]:
    for one in check.stages:
        if not one.same:
            yield f"\n{painter(check.file, _BOLD)}\n"
            yield from _stage(one, painter, width)


def _stage(one: Difference, painter: Painter, width: int) -> Iterator[str]:
    yield f"\n{painter(one.stage, _BOLD)}  "
    if one.same:
        yield painter("same", _CAME) + "\n"
        return
    for line in joined(list(_totals(one.summary, one.stage)), max(20, width - len(one.stage) - 2)):
        yield f"{line}\n"
    yield from _ops(one.summary, painter, width)
    yield from _substitutions(one.summary, painter)
    for hunk in one.changes:
        yield f"\n{painter(f'@@ {hunk.block}', _BLOCK)}\n"
        for line in hunk.lines:
            yield painter(line, {"-": _GONE, "+": _CAME}.get(line[0], "")) + "\n"


def _collectives(summary: Summary, painter: Painter, width: int) -> Iterator[str]:
    """Those that have come and gone, with what they move in all their runs."""
    if summary.collectives is None or summary.wire_bytes is None:
        return
    rows = summary.collectives_changed
    parts = [
        either(summary.collectives, lambda number: f"{number:,}"),
        f"moved {either(summary.wire_bytes, size)}",
    ]
    told = "" if rows else ", none came or went"
    yield f"\n{painter('collectives', _BOLD)}  {' · '.join(parts)}{told}\n"
    if rows:
        heads = ("", "moved", "times", "in", "out", "kind", "axes", "line")
        cells = [(_of_collective(one), _GONE if one.side == "before" else _CAME) for one in rows]
        yield from table(heads, 3, cells, painter, width)
        yield painter("moved: what one device sends to others, if rings carry it\n", _DIM)


def _of_collective(one: ChangedCollective) -> tuple[str, ...]:
    times = one.runs * one.count
    return (
        "-" if one.side == "before" else "+",
        size(one.wire_bytes * times),
        f"{times:,}",
        size(one.bytes_in),
        size(one.bytes_out),
        one.kind,
        ",".join(one.axes) or f"of {one.group}",
        shown_places(one.lines),
    )


def either(quantity: Quantity, shown: Callable[[int], str]) -> str:
    """`before → after`; one number if both are the same."""
    if quantity.before == quantity.after:
        return shown(quantity.after or 0)
    return _shown(quantity, shown)


def _totals(summary: Summary, stage: str) -> Iterator[str]:
    """`12 → 15 instructions`, `3 changed`, `FLOPs 1.2 M → 1.5 M`."""
    word = WORDS[stage]
    before, after = summary.operations.before or 0, summary.operations.after or 0
    yield f"{before:,} → {count(after, word)}" if before != after else count(after, word)
    for number, what in (
        (summary.changed, "changed"),
        (summary.added, "added"),
        (summary.removed, "removed"),
    ):
        if number:
            yield f"{number:,} {what}"
    quantities = (("fusions", summary.fusions, str), ("FLOPs", summary.flops, amount),
                  ("bytes", summary.bytes, size), ("peak memory", summary.peak_bytes, size))  # fmt: skip
    for name, quantity, shown in quantities:
        if quantity is not None and quantity.before != quantity.after:
            yield f"{name} {_shown(quantity, shown)}"


def _shown(quantity: Quantity, shown: Callable[[int], str]) -> str:
    before, after = (shown(one) if one is not None else "?" for one in (quantity.before, quantity.after))
    if not (quantity.before and quantity.after):
        return f"{before} → {after}"
    return f"{before} → {after} (× {significant(quantity.after / quantity.before)})"


def _ops(summary: Summary, painter: Painter, width: int) -> Iterator[str]:
    """`fusion +3  multiply −2`, those that changed most first."""
    ordered = sorted(summary.ops.items(), key=lambda one: (-abs(one[1]), one[0]))
    line, length = "", 0
    for at, (op, number) in enumerate(ordered):
        word = f"  {op} {number:+d}"
        if length + len(word) > width - 12:
            line += painter(f"  … {len(ordered) - at} more", _DIM)
            break
        line, length = line + painter(word, _CAME if number > 0 else _GONE), length + len(word)
    if line:
        yield f"{line}\n"


def _substitutions(summary: Summary, painter: Painter) -> Iterator[str]:
    if not summary.explained:
        return
    pairs = ", ".join(f"{one.before} → {one.after}" for one in summary.substitutions)
    explained = f"{summary.explained:,} of {summary.changed:,} changed"
    yield f"  {cut_middle(pairs, 60)} is the only difference in {explained}\n"
