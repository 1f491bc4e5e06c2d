"""`cost` as tables: totals beside XLA's, loops, lines, opcodes and buffers; for a sweep, how they grow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from jitinspect.model.readings import (
    Buffer,
    Cost,
    CostOfBranch,
    CostOfLine,
    CostOfLoop,
    CostOfOp,
    CostReport,
    Growth,
)
from jitinspect.render.text import (
    ALL,
    Painter,
    amount,
    count,
    cut_middle,
    cut_place,
    fitted,
    hanging,
    joined,
    shown_path,
    size,
)

_DIM, _BOLD, _HOT, _WARN = "2", "1", "1;31", "33"
_MOST = 10
"""Rows of a table, unless verbose."""
_LEAST = 12
"""The least columns for a text."""
_ONE_POWER = 0.02
"""A fit with a larger error is not called a single power."""
_QUANTITIES = {
    "flops": "FLOPs", "transcendentals": "transcendentals", "bytes": "bytes", "peak_bytes": "peak memory",
}  # fmt: skip
_MEMORY = {
    "argument": "arguments", "output": "outputs", "temp": "temporaries", "alias": "of them aliased",
    "generated_code": "code",
}  # fmt: skip

_UNLIKE = {
    "flops": (
        ("leave out {}", ("custom calls",)),
        ("count {} otherwise", ("FFTs", "triangular solves")),
        ("count {} like real ones", ("complex numbers",)),
    ),
    "bytes": (
        ("leave out {}", ("custom calls",)),
        ("count whole arrays for {}", ("gathers", "scatters", "slices of reshaped arrays")),
        ("include {}", ("pointers of tuples",)),
    ),
}
"""What XLA counts in another way, and how."""

Row = tuple[tuple[str, ...], str]
"""The cells and the colour of a row."""


def render(report: CostReport, painter: Painter, width: int, verbose: bool) -> Iterator[str]:
    """One call in full; for a sweep, a row each, and with `-v` each in full."""
    if not report.sweep:
        yield from _cost(report.cost, painter, width, verbose)
        return
    yield from _sweep(report, painter, width)
    if verbose:
        for one in report.sweep:
            yield "\n"
            yield from _cost(one, painter, width, verbose)
    else:
        yield painter("\n-v shows each by line, by op and by buffer\n", _DIM)


def _cost(one: Cost, painter: Painter, width: int, verbose: bool) -> Iterator[str]:
    room = ALL if verbose else width
    yield painter(cut_middle(one.signature, room), _BOLD) + "\n"
    yield from _totals(one, painter, room, verbose)
    for text, sgr in _notes(one):
        yield from (painter(line, sgr) + "\n" for line in hanging(text, room))
    most = ALL if verbose else _MOST
    what = "FLOPs" if one.flops else "bytes"
    for section in (_loops(one), _branches(one), _lines(one), _ops(one)):
        yield from _section(section, painter, room, most, lambda left: f"{_whole(left)} of the {what}")
    yield from _section(_buffers(one), painter, room, most, size)
    if one.no_buffers:
        yield painter(f"\nno buffers: {one.no_buffers}\n", _WARN)


def _totals(one: Cost, painter: Painter, room: int, verbose: bool) -> Iterator[str]:
    """The totals, those with each loop counted once if they differ, and XLA's own."""
    is_looped = any(getattr(one, name) != number for name, number in one.once.items())
    heads = ("", "total", *(["loops once"] if is_looped else []), "XLA's own")
    rows = [(name, *_numbers(one, key, is_looped, verbose)) for key, name in _QUANTITIES.items()]
    widths = _widths([heads, *rows])
    yield painter(_aligned(heads, widths, 1), _DIM) + "\n"
    yield from (_aligned(row, widths, 1) + "\n" for row in rows)
    if one.intensity is not None:
        yield f"{'intensity':<{widths[0]}}  {_significant(one.intensity)} FLOPs/byte\n"
    memory = [f"{size(one.memory[name])} {word}" for name, word in _MEMORY.items() if one.memory.get(name)]
    for at, line in enumerate(joined(memory, room - widths[0] - 2) if memory else ()):
        yield f"{'' if at else 'memory':<{widths[0]}}  {line}\n"


def _numbers(one: Cost, quantity: str, is_looped: bool, verbose: bool) -> Iterator[str]:
    """The cells of a row of totals; empty if unknown."""
    is_bytes = "bytes" in quantity
    known = [getattr(one, quantity), one.once.get(quantity), getattr(one.xla, quantity)]
    for number in known if is_looped else known[::2]:
        if number is None:
            yield ""
        elif verbose:
            yield f"{number:,}{' B' if is_bytes else ''}"
        else:
            yield size(number) if is_bytes else amount(number)


def _notes(one: Cost) -> Iterator[tuple[str, str]]:
    """Notes, and their colours: why the numbers differ from XLA's, and what they leave out."""
    if "@P(" in one.signature:
        yield "all numbers are for one device", _DIM
    if any(loop.trip_count not in (1, None) for loop in one.loops):
        yield "XLA counts a loop body once, jitinspect every time it runs", _DIM
    unknown = sum(loop.trip_count is None for loop in one.loops)
    if unknown:
        yield f"{count(unknown, 'loop')} with an unknown trip count: one iteration of each is counted", _WARN
    if one.unmodelled:
        yield f"unknown FLOPs of custom calls: {', '.join(one.unmodelled)}", _WARN
    if one.branches:
        yield from _about_branches(one)
    if {"complex numbers", "FFTs"} & {*one.unlike_xla.get("flops", ())}:
        yield "FLOPs are real operations: 2 for a complex addition, 6 for a complex multiplication", _DIM
    yield from ((text, _DIM) for text in _about_xla(one))
    if one.peak_bytes and one.xla.peak_bytes is not None and one.xla.peak_bytes < one.peak_bytes:
        yield "XLA's peak leaves out temporaries", _DIM


def _about_branches(one: Cost) -> Iterator[tuple[str, str]]:
    """Which branch counts, and the range of what others would cost."""
    ranges = [
        f"{form(one.least[name])} to {form(one.most[name])} {word}".strip()
        for name, form, word in (("flops", amount, "FLOPs"), ("bytes", size, ""))
        if one.least[name] != one.most[name]
    ]
    told = f": {', '.join(ranges)}" if ranges else ", which costs the same"
    yield f"of each conditional the costliest branch counts, in every run; others may run{told}", _WARN


def _about_xla(one: Cost) -> Iterator[str]:
    """Why its FLOPs and bytes differ, as they are shown, from these with each loop counted once."""
    for name, word, form, given in (
        ("flops", "FLOPs", amount, one.xla.flops),
        ("bytes", "bytes", size, one.xla.bytes),
    ):
        if name not in one.unlike_xla or given is None or form(given) == form(one.once[name]):
            continue
        found = one.unlike_xla[name]
        told = (
            text.format(", ".join(kinds))
            for text, among in _UNLIKE[name]
            if (kinds := [k for k in found if k in among])
        )
        yield f"XLA's {word} {'; '.join(told) or 'differ, for a reason that is not known'}"


@dataclass(frozen=True, slots=True)
class _Section:
    """A table whose last `texts` columns are text; `weights` are what each row adds up to."""

    title: str
    heads: tuple[str, ...]
    texts: int
    rows: list[Row]
    weights: list[float]


def _loops(one: Cost) -> _Section:
    heads = ("FLOPs", "share", "bytes", "trips", "runs", "loop", "line")
    rows = [(_of_loop(loop), _heat(loop.share)) for loop in one.loops]
    return _Section("loops", heads, 2, rows, [loop.share for loop in one.loops])


def _of_loop(one: CostOfLoop) -> tuple[str, ...]:
    rounds = "?" if one.trip_count is None else f"{one.trip_count:,}"
    costs = amount(one.flops), _percent(one.share), size(one.bytes)
    return *costs, rounds, f"{one.runs:,}", one.instruction, shown_path(one.at or "")


def _branches(one: Cost) -> _Section:
    heads = ("FLOPs", "bytes", "runs", "branch", "line")
    rows = [(_of_branch(branch), "" if branch.counted else _DIM) for branch in one.branches]
    return _Section("branches", heads, 2, rows, [0.0 for _ in rows])


def _of_branch(one: CostOfBranch) -> tuple[str, ...]:
    name = f"{one.index} of {one.instruction}{', counted' if one.counted else ''}"
    return amount(one.flops), size(one.bytes), f"{one.runs:,}", name, shown_path(one.at or "")


def _lines(one: Cost) -> _Section:
    heads = ("FLOPs", "share", "transc.", "bytes", "line", "text")
    rows = [(_of_line(line), _heat(line.share)) for line in one.by_line]
    return _Section("by line", heads, 2, rows, [line.share for line in one.by_line])


def _of_line(one: CostOfLine) -> tuple[str, ...]:
    where = shown_path(f"{one.file}:{one.line}") if one.file else "no source line"
    return *_counts(one), where, one.text


def _ops(one: Cost) -> _Section:
    heads = ("FLOPs", "share", "transc.", "bytes", "instr.", "runs", "op")
    rows = [(_of_op(op), _heat(op.share)) for op in one.by_op]
    return _Section("by op", heads, 1, rows, [op.share for op in one.by_op])


def _of_op(one: CostOfOp) -> tuple[str, ...]:
    return *_counts(one), f"{one.instructions:,}", f"{one.runs:,}", one.op


def _counts(one: CostOfLine | CostOfOp) -> tuple[str, ...]:
    """Empty for zero, so that the other numbers stand out."""
    cells = amount(one.flops), _percent(one.share), amount(one.transcendentals), size(one.bytes)
    return tuple("" if cell in ("0", "0 B") else cell for cell in cells)


def _buffers(one: Cost) -> _Section:
    heads = ("bytes", "kind", "peak", "type", "instructions", "line")
    rows = [(_of_buffer(buffer), _DIM if buffer.at_peak is False else "") for buffer in one.buffers]
    return _Section("buffers", heads, 5, rows, [buffer.bytes for buffer in one.buffers])


_PEAK = {True: "yes", False: "", None: "?"}


def _of_buffer(one: Buffer) -> tuple[str, ...]:
    peak = _PEAK[one.at_peak]
    return (
        size(one.bytes),
        one.kind,
        peak,
        one.type or "",
        ", ".join(one.instructions),
        shown_path(one.at or ""),
    )


def _section(
    section: _Section, painter: Painter, room: int, most: int, summed: Callable[[float], str]
) -> Iterator[str]:
    """At most `most` rows, and the sum of the others."""
    if not section.rows:
        return
    yield "\n" + painter(section.title, _BOLD) + "\n"
    yield from _table(section.heads, section.texts, section.rows[:most], painter, room)
    left = section.weights[most:]
    if left:
        yield painter(f"… and {len(left):,} more, {summed(sum(left))}", _DIM) + "\n"


def _whole(share: float) -> str:
    return _percent(share) or "0%"


def _table(
    heads: Sequence[str], texts: int, rows: Sequence[Row], painter: Painter, room: int
) -> Iterator[str]:
    """Numbers are right-aligned; texts, the last columns, are left-aligned, and cut if they do not fit."""
    numbers = len(heads) - texts
    widths = _widths([heads, *(cells for cells, _ in rows)])
    taken = sum(widths[:numbers]) + 2 * (len(widths) - 1)
    widths[numbers:] = fitted(widths[numbers:], room - taken, _LEAST)
    yield painter(_aligned(heads, widths, 0, texts), _DIM) + "\n"
    at = heads.index("line") if "line" in heads else None
    for cells, sgr in rows:
        cut = [cut_place(cell, widths[n]) if n == at else cell for n, cell in enumerate(cells)]
        yield painter(_aligned(cut, widths, 0, texts), sgr) + "\n"


def _widths(rows: Iterable[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _aligned(cells: Sequence[str], widths: Sequence[int], first: int, last: int = 0) -> str:
    """The `first` and the `last` cells are left-aligned, those between right-aligned."""
    aligned = []
    for at, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        is_text = at < first or at >= len(cells) - last
        aligned.append(f"{cut_middle(cell, width):<{width}}" if is_text else f"{cell:>{width}}")
    return "  ".join(aligned).rstrip()


def _heat(share: float) -> str:
    return _HOT if share >= 0.5 else ""


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.005 else ""


def _significant(number: float) -> str:
    """Three digits, without an exponent: `0.00123`, `12.3`, `1,230`."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}" if number >= 1e-4 else f"{number:.6f}"


def _sweep(report: CostReport, painter: Painter, width: int) -> Iterator[str]:
    """A row for each combination of sizes, and how each quantity grows."""
    names = tuple(report.cost.dims)
    heads = (*names, "FLOPs", "bytes", "transc.", "peak")
    rows: list[Row] = [(_point(one, names), "") for one in report.sweep]
    yield from _table(heads, 0, rows, painter, width)
    fits = [(name, list(found)) for name, found in groupby(report.growth, lambda one: one.quantity)]
    if fits:
        yield "\n" + painter("growth", _BOLD) + "\n"
    wide = max((len(_QUANTITIES[name]) for name, _ in fits), default=0)
    for name, found in fits:
        yield f"{_QUANTITIES[name]:<{wide}}  {_power(found, painter)}\n"
    pairs = [name for name in names if len({one.dims[name] for one in report.sweep}) == 2]
    if fits and pairs:
        yield painter(f"two sizes fit any power: add a third of {', '.join(pairs)}", _DIM) + "\n"


def _point(one: Cost, names: Sequence[str]) -> tuple[str, ...]:
    peak = "" if one.peak_bytes is None else size(one.peak_bytes)
    costs = amount(one.flops), size(one.bytes), amount(one.transcendentals), peak
    return *(f"{one.dims[name]:,}" for name in names), *costs


def _power(found: Sequence[Growth], painter: Painter) -> str:
    """`~ B^1.00 · D^2.00`."""
    power = "~ " + " · ".join(f"{one.dim}^{one.exponent:.2f}" for one in found)
    error = found[0].error
    if error <= _ONE_POWER:
        return power
    return f"{power}  {painter(f'not a single power: off by up to {error:.0%}', _WARN)}"
