"""`--stats` and `--outline` as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from jitinspect.model import WORDS, Artifact
from jitinspect.model.views import Branch, Stats, Unrolled
from jitinspect.render.text import Painter, count, cut_middle, cut_place, shown_path, size

_MOST = 12
"""Rows of each table, unless `-v`."""
_DIM, _BOLD = "2", "1"
_LONGEST_BAR = 20


def render(artifact: Artifact, painter: Painter, width: int, verbose: bool) -> Iterator[str]:
    """The artifact's statistics or its outline, whichever it has."""
    word = WORDS[artifact.stage]
    if artifact.stats:
        yield from _stats(artifact.stats, word, painter, width, verbose)
    if artifact.outline:
        yield from _branch(artifact.outline, word, painter, width)


def unrolled(found: Sequence[Unrolled], word: str, painter: Painter, width: int) -> Iterator[str]:
    """`samples/mlp.py:12: the same 14 equations 96 times: use lax.scan or fori_loop`."""
    for one in found:
        advice = f": the same {count(one.operations, word)} {one.times} times: use lax.scan or fori_loop"
        at = shown_path(one.at)
        text = f"  {one.text}" if len(at + advice + one.text) + 2 <= width else ""
        yield f"{painter(at, _BOLD)}{advice}{painter(text, _DIM)}\n"


def _stats(stats: Stats, word: str, painter: Painter, width: int, verbose: bool) -> Iterator[str]:
    most = None if verbose else _MOST
    yield painter(f"{count(stats.operations, word)} in {count(stats.blocks, 'block')}", _BOLD) + "\n\n"
    rows = [(f"{one.count:,}", one.op, size(one.bytes), one.count) for one in stats.ops]
    yield from _histogram((word, "results"), rows, painter, width, most)
    types = [(f"{one.count:,}", one.type, size(one.bytes), one.bytes) for one in stats.types]
    yield from _histogram(("result type", "each"), types, painter, width, most)
    lines = [
        (f"{one.count:,}", f"{shown_path(one.at or 'no source line')}  {one.text}".rstrip(), "", one.count)
        for one in stats.lines
    ]
    yield from _histogram(("line", ""), lines, painter, width, most, _cut_line)
    yield from unrolled(stats.unrolled[:most], word, painter, width)


def _histogram(
    heads: tuple[str, str],
    rows: list[tuple[str, str, str, int]],
    painter: Painter,
    width: int,
    most: int | None,
    cut: Callable[[str, int], str] = cut_middle,
) -> Iterator[str]:
    """A row each: count, name, size, and a bar."""
    shown = rows[:most]
    if not shown:
        return
    counts, sizes = max(len(row[0]) for row in shown), max(len(heads[1]), *(len(row[2]) for row in shown))
    longest = min(_LONGEST_BAR, width // 5)
    room = max(8, width - counts - sizes - longest - 6)
    names = min(room, max(len(heads[0]), *(len(row[1]) for row in shown)))
    largest = max(row[3] for row in shown) or 1
    yield painter(f"{'':>{counts}}  {heads[0]:<{names}}  {heads[1]:>{sizes}}".rstrip(), _DIM) + "\n"
    for number, name, amount, weight in shown:
        bar = painter("▇" * max(1, round(longest * weight / largest)) if weight else "", "36")
        yield (f"{number:>{counts}}  {cut(name, names):<{names}}  {amount:>{sizes}}  {bar}".rstrip() + "\n")
    if len(rows) > len(shown):
        yield painter(f"{'':>{counts}}  … and {len(rows) - len(shown):,} more; -v shows all\n", _DIM)
    yield "\n"


def _cut_line(line: str, width: int) -> str:
    """`samples/mlp.py:12  y = x @ w`: the place stays as long as it fits, the text is cut at its end."""
    place, _, text = line.partition("  ")
    room = width - len(place) - 2
    if not text or room < 2:
        return cut_place(place, width)
    return f"{place}  {text if len(text) <= room else text[: room - 1] + '…'}"


def _branch(
    branch: Branch, word: str, painter: Painter, width: int, indent: str = "", joint: str = ""
) -> Iterator[str]:
    times = f"{branch.times} × " if branch.times > 1 else ""
    runs = f" × {branch.runs}" if branch.runs not in (1, None) else " × ?" if branch.runs is None else ""
    head = f"{indent}{joint}{times}{branch.label}{runs}"
    ops = ", ".join(f"{number} {op}" for op, number in branch.ops.items())
    number = f"  {count(branch.operations, word)}"
    room = max(0, width - len(head) - len(number) - 2)
    yield f"{indent}{joint}{times}{painter(branch.label, _BOLD)}{painter(runs, '35')}{number}"
    yield painter(f"  {_listed(ops, room)}".rstrip(), _DIM) + "\n"
    below = indent + {"": "", "├─ ": "│  ", "└─ ": "   "}[joint]
    for index, inner in enumerate(branch.branches):
        last = index == len(branch.branches) - 1
        yield from _branch(inner, word, painter, width, below, "└─ " if last else "├─ ")


def _listed(names: str, room: int) -> str:
    """As many of the names as fit."""
    if len(names) <= room:
        return names
    kept = names[: max(0, room - 1)].rpartition(", ")[0]
    return f"{kept}, …" if kept else ""
