"""`cache stats` as text: what the recorded programs found and wrote, by function and by entry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jitinspect.model.cache_stats import CacheStatsReport, CacheUse, EntryUse, FunctionUse
from jitinspect.model.runs import HIT, WRITTEN
from jitinspect.render.readings.columns import Row, table
from jitinspect.render.text import Painter, count, hanging, joined, printable, seconds, shown_path, size

_BOLD, _DIM, _LOST = "1", "2", "33"
_MOST = 15
"""Entries that are listed, unless verbose."""
_HEADS = ("hits", "misses", "written", "saved", "compiled", "lost")


def render(report: CacheStatsReport, painter: Painter, room: int, verbose: bool) -> Iterator[str]:
    functions = [one for one in report.functions if verbose or not one.internal]
    rows = [_entry(one, verbose) for one in _shown_entries(report, verbose)]
    if functions:
        heads = (*_HEADS, "function", "module", "line")
        yield from table(heads, 3, list(map(_function, functions)), painter, room)
        yield "\n"
    if rows:
        yield from table((*_HEADS, "size", "last", "entry"), 2, rows, painter, room)
        yield "\n"
    yield from (painter(line, _BOLD) + "\n" for line in joined(list(_totals(report)), room))
    for text in _remarks(report, len(functions)):
        yield from (painter(line, _DIM) + "\n" for line in hanging(text, room))


def _shown_entries(report: CacheStatsReport, verbose: bool) -> Sequence[EntryUse]:
    """Those of the program's own functions."""
    if verbose:
        return report.entries
    own = {one.module for one in report.functions if not one.internal}
    return [one for one in report.entries if one.module in own][:_MOST]


def _numbers(use: CacheUse) -> tuple[str, ...]:
    return (
        f"{use.hits:,}" if use.hits else "",
        f"{use.misses:,}" if use.misses else "",
        f"{use.written:,}" if use.written else "",
        f"{'≥ ' if use.rounded else ''}{_signed(use.saved_seconds)}" if use.hits else "",
        seconds(use.compile_seconds) if use.misses else "",
        seconds(use.lost_seconds) if use.misses > use.written else "",
    )


def _signed(value: float) -> str:
    return seconds(value) if value >= 0 else f"-{seconds(-value)}"


def _function(one: FunctionUse) -> Row:
    colour = _LOST if one.use.misses > one.use.written else ""
    return (*_numbers(one.use), one.function, one.module or "?", one.definition or ""), colour


def _entry(one: EntryUse, verbose: bool) -> Row:
    name = one.file if verbose else f"{one.module}-{one.file[len(one.module) + 1 :][:8]}…"
    was_there = one.use.hits or one.use.written
    there = size(one.bytes) if one.bytes is not None else "gone" if was_there and one.present is False else ""
    last = one.outcome if one.outcome in (HIT, WRITTEN) else "not written"
    return (*_numbers(one.use), there, last, name), _LOST if one.use.misses > one.use.written else ""


def _totals(report: CacheStatsReport) -> Iterator[str]:
    use = report.totals
    yield count(len(report.recordings), "recording")
    yield f"{use.hits:,} of {use.hits + use.misses:,} found"
    if use.hits:
        yield f"{'at least ' if use.rounded else ''}{_signed(use.saved_seconds)} saved"
    if use.misses:
        yield f"{seconds(use.compile_seconds)} compiled"
        yield f"{use.written:,} written"
    if use.lost_seconds:
        yield f"{seconds(use.lost_seconds)} for what was not written"


def _remarks(report: CacheStatsReport, shown: int) -> Iterator[str]:
    for reason, number in report.not_written.items():
        yield f"{number:,} not written: {printable(reason)}"
    if hidden := len(report.functions) - shown:
        yield f"+ {count(hidden, 'function')} of JAX's own (eager operations); -v lists them, and all entries"
    if report.totals.rounded:
        yield "≥ where no recording has compiled the entry, which tells whole seconds of its compilation"
    if report.unnamed:
        yield f"{count(report.unnamed, 'look-up')} without the name of the entry, in an older recording"
    if report.folder is not None and report.unused is not None:
        unused = f"{count(report.unused, 'entr', 'y', 'ies')}, {size(report.unused_bytes or 0)}"
        yield f"{shown_path(report.folder)}: {unused} that no recorded program looked for"
