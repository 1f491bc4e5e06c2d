"""`cache why` as text: the entry that a call takes, or the nearest ones, and what differs."""

from __future__ import annotations

from collections.abc import Iterator

from jitinspect.model.cache import CacheEntry
from jitinspect.model.cache_lookups import CacheLookup, CacheWhyReport, EntryDifference, NearEntry
from jitinspect.render.cache_words import ago, compiled, short
from jitinspect.render.text import Painter, hanging, printable, shown_path, size

_BOLD, _DIM, _CHANGED, _BAD, _GOOD = "1", "2", "33", "31", "32"
_AGAINST = (
    "jitinspect key … --save FILE keeps a key with all that it was made of, and key … --against FILE "
    "compares with it: that tells the rest"
)


def render(report: CacheWhyReport, painter: Painter, room: int, verbose: bool) -> Iterator[str]:
    for number, lookup in enumerate(report.lookups):
        yield "\n" if number else ""
        for text, colour in _lines(lookup, verbose):
            for line in hanging(text, room) if text else [""]:
                yield painter(line, colour) + "\n"


def _lines(lookup: CacheLookup, verbose: bool) -> Iterator[tuple[str, str]]:
    """Texts and their colours."""
    yield printable(lookup.signature), _BOLD
    yield f"  {lookup.file}", ""
    if lookup.present is None:
        yield f"  not looked for: {lookup.folder} is not on this machine", _CHANGED
    elif lookup.entry is not None:
        yield from _found(lookup.entry, lookup.folder)
    else:
        yield f"  not in {shown_path(lookup.folder)}, which has {_count(lookup)}", _CHANGED
    for near in lookup.nearest:
        yield "", ""
        yield from _near(near, verbose)
    if lookup.obstacles:
        yield "", ""
        conditions = all(text.startswith("only if") for text in lookup.obstacles)
        yield "JAX would write it" if conditions else "JAX would not write it", _BOLD
        yield from ((f"  {text}", "") for text in lookup.obstacles)
    if any(not _certain(near) for near in lookup.nearest):
        yield "", ""
        yield _AGAINST, _DIM


def _found(entry: CacheEntry, folder: str) -> Iterator[tuple[str, str]]:
    state = {True: "JAX loads it", False: "JAX cannot load it", None: "not known whether JAX loads it"}
    colour = {True: _GOOD, False: _BAD, None: _CHANGED}[entry.loadable]
    yield f"  found in {shown_path(folder)}: {state[entry.loadable]}", colour
    saved = f"saves {compiled(entry.compile_seconds)} of compilation"
    yield f"  {size(entry.bytes)}, written {ago(entry.age_seconds)} ago, {saved}", ""
    if entry.why_not:
        yield f"  {entry.why_not}", colour


def _count(lookup: CacheLookup) -> str:
    if not lookup.entries:
        return "no entries"
    others = f"{lookup.entries:,} {'entry' if lookup.entries == 1 else 'entries'}"
    return (
        f"{lookup.alike:,} of {lookup.module} among {others}"
        if lookup.alike
        else (f"none of {lookup.module} among {others}")
    )


def _near(near: NearEntry, verbose: bool) -> Iterator[tuple[str, str]]:
    entry = near.entry
    name = entry.file if verbose else short(entry.file)
    facts = (
        f"{size(entry.bytes)}, {ago(entry.age_seconds)} old, compiled in {compiled(entry.compile_seconds)}"
    )
    yield f"{name}  {facts}", _BOLD
    if near.why_not:
        yield f"  cannot be compared: {near.why_not}", _CHANGED
        return
    rows = [(one.component, one.what, _change(one)) for one in near.differences]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)] if rows else []
    for one, row in zip(near.differences, rows, strict=True):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(cells)}".rstrip(), _CHANGED if one.certain else _DIM
    if not _certain(near):
        yield f"  nothing{' else' if rows else ''} that an entry shows differs; it does not show", ""
        yield from ((f"    {text}", "") for text in near.unseen)


def _change(one: EntryDifference) -> str:
    maybe = "" if one.certain else "  (maybe: XLA leaves out what is not used)"
    return f"{_shown(one.entry)} → {_shown(one.call)}{maybe}"


def _certain(near: NearEntry) -> bool:
    return near.why_not is not None or any(one.certain for one in near.differences)


def _shown(value: str | None) -> str:
    return "none" if value is None else printable(value) or "''"
