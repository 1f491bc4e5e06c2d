"""The reports of `cache` as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jitinspect.model.cache import CacheEntry, CacheReport
from jitinspect.render.readings.columns import Row, table
from jitinspect.render.text import ALL, Painter, count, hanging, joined, size

_BAD, _FOREIGN, _DIM, _BOLD = "31", "33", "2", "1"
_FEW = 3
"""Names of entries that share a fault, unless verbose."""
_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def render(report: CacheReport, color: bool, width: int, verbose: bool = False) -> Iterator[str]:
    painter, room = Painter(color), ALL if verbose else width
    entries = report.cache.entries
    if entries:
        yield from _table(entries, painter, room)
        yield "\n"
    yield from (painter(line, _BOLD) + "\n" for line in joined(list(_totals(report)), width))
    yield from _faults(entries, painter, room, ALL if verbose else _FEW)


def _table(entries: Sequence[CacheEntry], painter: Painter, room: int) -> Iterator[str]:
    """A column that would be empty is left out."""
    is_used = any(entry.used_seconds is not None for entry in entries)
    heads = ("size", "age", *(("used",) if is_used else ()), "compiled", "loads", "for", "module", "line")
    yield from table(heads, 4, [_row(entry, is_used) for entry in entries], painter, room)


def _row(entry: CacheEntry, is_used: bool) -> Row:
    used = (_ago(entry.used_seconds),) if is_used else ()
    cells = (size(entry.bytes), _ago(entry.age_seconds), *used, _compiled(entry.compile_seconds))
    colour = _BAD if entry.state in ("damaged", "unreadable") else "" if entry.loadable else _FOREIGN
    return (*cells, _loads(entry), entry.platform or "?", entry.module, _place(entry)), colour


def _short(entry: CacheEntry) -> str:
    """`jit_step-2a740b07…`: enough to find the file."""
    return f"{entry.file.partition(entry.key)[0]}{entry.key[:8]}…" if entry.key else entry.file


def _file(entry: CacheEntry) -> str:
    return entry.file


def _loads(entry: CacheEntry) -> str:
    if entry.state in ("sound", "too_large"):
        return {True: "yes", False: "no", None: "?"}[entry.loadable]
    return entry.state


def _place(entry: CacheEntry) -> str:
    return entry.source or ""


def _compiled(seconds: int | None) -> str:
    if seconds is None:
        return "?"
    return "< 1 s" if seconds == 0 else f"{seconds:,} s"


def _ago(seconds: float | None) -> str:
    if seconds is None:
        return "?"
    for length, unit in _UNITS:
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return "now"


def _totals(report: CacheReport) -> Iterator[str]:
    shown, whole = report.cache.totals, report.cache.whole
    part = f" of {whole.entries:,}" if shown != whole else ""
    yield f"{shown.entries:,}{part} {'entry' if (whole if part else shown).entries == 1 else 'entries'}"
    yield size(shown.bytes) + (f" of {size(whole.bytes)}" if part else "")
    if others := report.cache.others:
        yield count(len(others), "other file")


def _faults(entries: Sequence[CacheEntry], painter: Painter, room: int, most: int) -> Iterator[str]:
    """Each reason once, with the entries that it is of."""
    alike: dict[tuple[str, str], list[CacheEntry]] = {}
    for entry in entries:
        if entry.why_not:
            alike.setdefault((entry.state, entry.why_not), []).append(entry)
    for (_, why), those in alike.items():
        colour = _row(those[0], False)[1]
        names = ", ".join(map(_short if most < ALL else _file, those[:most]))
        more = f" (+{len(those) - most:,} more)" if len(those) > most else ""
        text = f"{why}: {names}{more}"
        yield from (painter(line, colour) + "\n" for line in hanging(text, room))
