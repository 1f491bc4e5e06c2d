"""The reports of `cache` as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from jitinspect.model.cache import CacheEntry, CacheReport, PrunedEntry, PruneReport
from jitinspect.model.cache_lookups import CacheWhyReport
from jitinspect.model.cache_stats import CacheStatsReport
from jitinspect.render import cache_stats, cache_why
from jitinspect.render.cache_words import ago, compiled, short
from jitinspect.render.readings.columns import Row, table
from jitinspect.render.text import ALL, Painter, count, hanging, joined, printable, size

_BAD, _FOREIGN, _DIM, _BOLD = "31", "33", "2", "1"
_FEW = 3
"""Names of entries that share a fault, unless verbose."""
_LOADS = {True: "yes", False: "no", None: "?"}
_STAYS = {"changed": "stays: it has changed meanwhile", "failed": "stays: it cannot be removed"}


def render(
    report: CacheReport | PruneReport | CacheWhyReport | CacheStatsReport,
    color: bool,
    width: int,
    verbose: bool = False,
) -> Iterator[str]:
    """A row an entry, then the sums, then what is wrong: each fault once, with the entries that have it."""
    painter, room = Painter(color), ALL if verbose else width
    if isinstance(report, CacheWhyReport):
        yield from cache_why.render(report, painter, room, verbose)
        return
    if isinstance(report, CacheStatsReport):
        yield from cache_stats.render(report, painter, room, verbose)
        return
    if isinstance(report, PruneReport):
        yield from _pruned(report, painter, room, width)
        return
    entries, is_check = report.cache.entries, report.command == "cache verify"
    shown = [entry for entry in entries if verbose or not is_check or entry.loadable is not True]
    yield from _entries(shown, painter, room)
    yield from _bold(_opened(report) if is_check else _listed(report), painter, width)
    yield from _faults(entries, painter, room, ALL if verbose else _FEW)


def _bold(parts: Iterable[str], painter: Painter, width: int) -> Iterator[str]:
    yield from (painter(line, _BOLD) + "\n" for line in joined(list(parts), width))


def _entries(entries: Sequence[CacheEntry], painter: Painter, room: int) -> Iterator[str]:
    """The last use has a column where it is known of any entry."""
    if not entries:
        return
    used = any(entry.used_seconds is not None for entry in entries)
    heads = ("size", "age", *(("used",) if used else ()), "compiled", "loads", "for", "module", "line")
    more = ("function", "built for", "file") if room == ALL else ()
    rows = [_row(entry, used, more) for entry in entries]
    yield from table((*heads, *more), 4 + len(more), rows, painter, room)
    yield "\n"


def _row(entry: CacheEntry, used: bool, more: Sequence[str]) -> Row:
    last = (ago(entry.used_seconds),) if used else ()
    numbers = size(entry.bytes), ago(entry.age_seconds), *last, compiled(entry.compile_seconds)
    texts = _loads(entry), entry.platform or "?", entry.module, entry.source or ""
    details = (entry.function or "", entry.built_for or "?", entry.file) if more else ()
    return (*numbers, *texts, *details), _colour(entry)


def _colour(entry: CacheEntry) -> str:
    if entry.state in ("damaged", "unreadable", "refused"):
        return _BAD
    return "" if entry.loadable and entry.state == "sound" else _FOREIGN


def _loads(entry: CacheEntry) -> str:
    return _LOADS[entry.loadable] if entry.state in ("sound", "refused", "too_large") else entry.state


def _listed(report: CacheReport) -> Iterator[str]:
    shown, whole = report.cache.totals, report.cache.whole
    part = shown != whole
    yield (f"{shown.entries:,} of " if part else "") + count(whole.entries, "entr", "y", "ies")
    yield (f"{size(shown.bytes)} of " if part else "") + size(whole.bytes)
    if others := report.cache.others:
        yield count(len(others), "other file")


def _opened(report: CacheReport) -> Iterator[str]:
    entries = report.cache.entries
    yield count(len(entries), "entr", "y", "ies")
    yield f"{sum(entry.loadable is True for entry in entries):,} opened by JAX"
    foreign = sum(entry.loadable is not True and entry.state == "sound" for entry in entries)
    unfinished = sum(entry.state == "unfinished" for entry in entries)
    bad = sum(entry.loadable is not True for entry in entries) - foreign - unfinished
    for number, what in ((bad, "damaged"), (foreign, "foreign"), (unfinished, "being written")):
        if number:
            yield f"{number:,} {what}"


def _faults(entries: Sequence[CacheEntry], painter: Painter, room: int, most: int) -> Iterator[str]:
    alike: dict[tuple[str, str], list[CacheEntry]] = {}
    for entry in entries:
        if entry.why_not:
            alike.setdefault((_colour(entry), entry.why_not), []).append(entry)
    for (colour, why), those in alike.items():
        names = ", ".join(short(entry.file) if most < ALL else entry.file for entry in those[:most])
        more = f" (+{len(those) - most:,} more)" if len(those) > most else ""
        text = printable(f"{names}{more}: {why}")
        yield from (painter(line, colour) + "\n" for line in hanging(text, room))


def _pruned(report: PruneReport, painter: Painter, room: int, width: int) -> Iterator[str]:
    if report.pruned:
        rows = [_pruned_row(entry, room) for entry in report.pruned]
        yield from table(("size", "age", "used", "entry", "because"), 2, rows, painter, room)
        yield "\n"
    yield from _bold(_freed(report), painter, width)
    if report.dry_run and report.pruned:
        yield painter("nothing was removed; --yes does it", _DIM) + "\n"


def _pruned_row(entry: PrunedEntry, room: int) -> Row:
    numbers = size(entry.bytes), ago(entry.age_seconds), ago(entry.used_seconds)
    stays = _STAYS.get(entry.outcome)
    name = entry.file if room == ALL else short(entry.file)
    return (*numbers, name, stays or entry.reason), _FOREIGN if stays else ""


def _freed(report: PruneReport) -> Iterator[str]:
    going, left = report.totals, report.left
    verb = "would go" if report.dry_run else "removed"
    yield f"{count(going.entries, 'entr', 'y', 'ies')} {verb}"
    yield size(going.bytes)
    yield f"{count(left.entries, 'entr', 'y', 'ies')} left, {size(left.bytes)}"
