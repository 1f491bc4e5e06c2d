"""`donation` as a table: each array argument, what happened to its buffer, and the sums."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from jitinspect.model.readings import DonatedLeaf, DonationReport
from jitinspect.render.readings.percall import by_call
from jitinspect.render.text import ALL, Painter, count, cut_middle, joined, size

_ALIASED, _LOST, _COULD, _DIM, _BOLD = "32", "31", "33", "2", "1"
_LEAST = 24
"""The least columns for what happened to a buffer; its path and type shrink."""


def render(report: DonationReport, painter: Painter, width: int, verbose: bool) -> Iterator[str]:
    """The table of each call, then the sums over all of them."""
    if not report.donation:
        yield "the arguments have no arrays\n"
        return
    for heading, leaves in by_call(report.donation, painter, ALL if verbose else width):
        yield heading
        yield from _table(leaves, painter, width, verbose)
        yield "\n"
    yield from (painter(line, _BOLD) + "\n" for line in joined(list(_totals(report.donation)), width))
    yield from (painter(f"{text}\n", sgr) for text, sgr in _notes(report))


def _table(leaves: list[DonatedLeaf], painter: Painter, width: int, verbose: bool) -> Iterator[str]:
    sizes = max(len("bytes"), *(len(_size(leaf)) for leaf in leaves))
    names, types = _room(leaves, ALL if verbose else width - sizes - 6 - _LEAST)
    yield painter(f"{'argument':<{names}}  {'type':<{types}}  {'bytes':>{sizes}}  buffer", _DIM) + "\n"
    for leaf in leaves:
        cells = f"{cut_middle(leaf.path, names):<{names}}  {cut_middle(leaf.type, types):<{types}}"
        fate, sgr = _fate(leaf)
        room = width - names - types - sizes - 6
        shown = fate if verbose else cut_middle(fate, room)
        yield f"{cells}  {_size(leaf):>{sizes}}  {painter(shown, sgr)}\n"


def _room(leaves: Iterable[DonatedLeaf], most: int) -> tuple[int, int]:
    """The widths of paths and types, together at most `most`; each has what it needs, or half."""
    names = max(len("argument"), *(len(leaf.path) for leaf in leaves), 0)
    types = max(len("type"), *(len(leaf.type) for leaf in leaves), 0)
    if names + types <= most:
        return names, types
    types = min(types, max(most // 2, most - names))
    return min(names, most - types), types


def _size(leaf: DonatedLeaf) -> str:
    return size(leaf.bytes)


def _fate(leaf: DonatedLeaf) -> tuple[str, str]:
    """What happened to the buffer, and its colour."""
    if leaf.aliased is not None:
        return f"→ {leaf.aliased}", _ALIASED
    if leaf.donated:
        return f"not aliased: {_WHY.get(leaf.why, _unknown)(leaf)}", _LOST
    state = "donated in a nested jit, where JAX ignores it" if leaf.why == "nested_jit" else "not donated"
    if leaf.could_alias is None:
        return state, _DIM
    return f"{state}; would save {_size(leaf)} → {leaf.could_alias}", _COULD


_WHY: dict[str | None, Callable[[DonatedLeaf], str]] = {
    "unused": lambda leaf: "unused: the function does not use it",
    "dtype": lambda leaf: f"dtype: no output is {leaf.type}, {leaf.nearest}",
    "no_output": lambda leaf: f"no_output: no output of {_size(leaf)} is left",
    "sharding": lambda leaf: f"sharding: {leaf.nearest}, sharded differently",
    "layout": lambda leaf: f"layout: {leaf.nearest}, laid out differently",
}


def _unknown(leaf: DonatedLeaf) -> str:
    return "unknown cause" + (f": {leaf.nearest}" if leaf.nearest else "")


def _totals(leaves: tuple[DonatedLeaf, ...]) -> Iterator[str]:
    donated = [leaf for leaf in leaves if leaf.donated]
    yield f"{size(_sum(donated))} donated ({count(len(donated), 'array')})"
    yield f"{size(_aliased(leaves))} saved"
    yield f"{size(_sum(leaf for leaf in donated if leaf.aliased is None))} lost"
    yield f"{size(sum(leaf.could_save for leaf in leaves))} could be saved"


def _sum(leaves: Iterable[DonatedLeaf]) -> int:
    return sum(leaf.bytes for leaf in leaves)


def _aliased(leaves: Iterable[DonatedLeaf]) -> int:
    return _sum(leaf for leaf in leaves if leaf.aliased is not None)


def _notes(report: DonationReport) -> Iterator[tuple[str, str]]:
    """Notes, and their colours."""
    if any("@P(" in leaf.type for leaf in report.donation):
        yield "bytes are for one device", _DIM
    saved = _aliased(report.donation)
    if report.bytes_aliased is not None and report.bytes_aliased != saved:
        note = f"XLA counts {report.bytes_aliased:,} bytes as aliased, this table {saved:,}"
        yield note, _LOST
    if report.unknown:
        yield f"cannot tell what donating would save: {report.unknown}", _COULD
