"""`donation` as a table: each array argument, what happened to its buffer, and the sums."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from jitinspect.model.readings import DonatedLeaf, DonationReport, Saved
from jitinspect.render.readings.percall import by_call
from jitinspect.render.text import ALL, Painter, count, cut_middle, hanging, joined, size

_ALIASED, _LOST, _COULD, _DIM, _BOLD = "32", "31", "33", "2", "1"
_SLIGHT = 0.01
"""A difference that is less than this part of what is reused is not mentioned."""
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
    yield from (painter(line, _BOLD) + "\n" for line in joined(list(_totals(report)), width))
    room = ALL if verbose else width
    for text, sgr in _notes(report):
        yield from (painter(line, sgr) + "\n" for line in hanging(text, room))


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
    if leaf.aliased is not None and leaf.shared_with:
        return f"→ {leaf.aliased}, refused: {leaf.shared_with} is in the same buffer", _LOST
    if leaf.aliased is not None:
        return (f"→ {leaf.aliased}, after a copy", _COULD) if leaf.copied else (f"→ {leaf.aliased}", _ALIASED)
    if leaf.donated:
        return f"not aliased: {_WHY.get(leaf.why, _unknown)(leaf)}", _LOST
    state = "donated in a nested jit, where JAX ignores it" if leaf.why == "nested_jit" else "not donated"
    if leaf.could_alias is None:
        shared = f"; cannot be, {leaf.shared_with} is in the same buffer" if leaf.shared_with else ""
        return state + shared, _DIM
    return f"{state}; would save {_size(leaf)} → {leaf.could_alias}", _COULD


_WHY: dict[str | None, Callable[[DonatedLeaf], str]] = {
    "unused": lambda leaf: "unused: the function does not use it",
    "dtype": lambda leaf: f"dtype: no output of {leaf.type} is left, {leaf.nearest}",
    "no_output": lambda leaf: f"no_output: no output of {_size(leaf)} is left",
    "sharding": lambda leaf: f"sharding: {leaf.nearest}, sharded differently",
    "layout": lambda leaf: f"layout: {leaf.nearest}, laid out differently",
}


def _unknown(leaf: DonatedLeaf) -> str:
    return "unknown cause" + (f": {leaf.nearest}" if leaf.nearest else "")


def _totals(report: DonationReport) -> Iterator[str]:
    donated = [leaf for leaf in report.donation if leaf.donated]
    yield f"{size(_sum(donated))} donated ({count(len(donated), 'array')})"
    yield f"{size(_saved(report))} saved"
    yield f"{size(_sum(leaf for leaf in donated if leaf.aliased is None))} lost"
    could = _measured(report, lambda one: one.could_save, lambda leaf: leaf.could_save)
    yield f"{size(could)} could be saved"


def _saved(report: DonationReport) -> int:
    refused = {leaf.signature for leaf in report.donation if _is_refused(leaf)}
    return _measured(
        report,
        lambda one: one.saved,
        lambda leaf: leaf.bytes if leaf.aliased is not None and leaf.signature not in refused else 0,
    )


def _measured(
    report: DonationReport, known: Callable[[Saved], int | None], assumed: Callable[[DonatedLeaf], int]
) -> int:
    """What was measured of each call, or else the sum over its arrays."""
    measured = {one.signature: value for one in report.savings if (value := known(one)) is not None}
    others = (assumed(leaf) for leaf in report.donation if leaf.signature not in measured)
    return sum(max(value, 0) for value in measured.values()) + sum(others)


def _is_refused(leaf: DonatedLeaf) -> bool:
    return leaf.aliased is not None and leaf.shared_with is not None


def _sum(leaves: Iterable[DonatedLeaf]) -> int:
    return sum(leaf.bytes for leaf in leaves)


def _aliased(leaves: Iterable[DonatedLeaf]) -> int:
    return _sum(leaf for leaf in leaves if leaf.aliased is not None)


def _notes(report: DonationReport) -> Iterator[tuple[str, str]]:
    """Notes, and their colours."""
    if any("@P(" in leaf.type for leaf in report.donation):
        yield "bytes are for one device", _DIM
    aliased = _aliased(report.donation)
    if report.bytes_aliased is not None and report.bytes_aliased != aliased:
        note = f"XLA counts {report.bytes_aliased:,} bytes as aliased, this table {aliased:,}"
        yield note, _LOST
    for leaf in filter(_is_refused, report.donation):
        yield (
            f"JAX refuses this call: {leaf.path} is donated, and {leaf.shared_with} is the same buffer",
            _LOST,
        )
        yield f"hint: give {leaf.path} a copy of its own: jnp.copy", _COULD
        break
    for one in report.savings:
        reused = _aliased(leaf for leaf in report.donation if leaf.signature == one.signature)
        yield from ((text, _COULD) for text in _of_call(one, reused))
    if report.unknown:
        yield f"cannot tell what donating would save: {report.unknown}", _COULD


def _of_call(one: Saved, reused: int) -> Iterator[str]:
    """Why less is saved than is reused, and how more would be."""
    slight = reused * _SLIGHT
    if one.saved is not None and one.saved < 0:
        yield f"with donation it takes {size(-one.saved)} more memory than without"
    elif one.saved is not None and reused - one.saved > slight:
        yield f"of {size(reused)} reused, temporaries take {size(reused - one.saved)} again"
    if one.moved > slight:
        yield f"copies move {size(one.moved)} more than without donation"
    if one.order:
        names = ", ".join(one.order)
        roots = ", ".join(dict.fromkeys(re.split(r"[.\[]", path)[0] for path in one.order_donates))
        what = "return" if reused else f"donate {roots} and return"
        moved = f" and move {size(one.moved - one.order_moved)} less" if one.order_moved < one.moved else ""
        saves = f"{size(one.order_saves)}{moved}"
        yield f"hint: {what} ({names}), in the arguments' order: that would save {saves}"
