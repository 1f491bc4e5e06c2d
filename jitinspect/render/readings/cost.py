"""`cost` as tables: totals beside XLA's, loops, lines, opcodes and buffers; for a sweep, how they grow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import compress, groupby

from jitinspect.model.readings import (
    Buffer,
    Cost,
    CostOfBranch,
    CostOfLine,
    CostOfLoop,
    CostOfOp,
    CostReport,
    Growth,
    XlaCost,
)
from jitinspect.render.readings import roofline
from jitinspect.render.readings.columns import Row, aligned, percent, table, widths
from jitinspect.render.readings.percall import each_in_full
from jitinspect.render.text import (
    ALL,
    Painter,
    amount,
    count,
    cut_middle,
    duration,
    hanging,
    joined,
    shown_path,
    significant,
    size,
)

_DIM, _BOLD, _HOT, _WARN = "2", "1", "1;31", "33"
_MOST = 10
"""Rows of a table, unless verbose."""
_ONE_POWER = 0.02
"""A fit with a larger error is not called a single power."""
_QUANTITIES = {
    "flops": "FLOPs", "transcendentals": "transcendentals", "bytes": "bytes", "peak_bytes": "peak memory",
    "wire_bytes": "moved",
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


def render(report: CostReport, painter: Painter, width: int, verbose: bool) -> Iterator[str]:
    """One call in full; for a sweep, a row each, and with `-v` each in full."""
    if not report.sweep:
        yield from _cost(report.cost, painter, width, verbose)
        return
    yield from _sweep(report, painter, width)
    in_full = partial(_cost, painter=painter, width=width, verbose=verbose)
    yield from each_in_full(report.sweep, in_full, "line, by op and by buffer", painter, verbose)


def _cost(one: Cost, painter: Painter, width: int, verbose: bool) -> Iterator[str]:
    room = ALL if verbose else width
    yield painter(cut_middle(one.signature, room), _BOLD) + "\n"
    yield from _totals(one, painter, room, verbose)
    for text, sgr in _notes(one):
        yield from (painter(line, sgr) + "\n" for line in hanging(text, room))
    if one.roofline is not None:
        yield from roofline.render(one.roofline, painter, room, verbose)
    most = ALL if verbose else _MOST
    what = "FLOPs" if one.flops else "bytes"
    for section in (_loops(one), _branches(one), _lines(one), _ops(one)):
        yield from _section(section, painter, room, most, lambda left: f"{_whole(left)} of the {what}")
    yield from _section(_instructions(one), painter, room, most, lambda left: f"{_whole(left)} of the cycles")
    yield from _section(_buffers(one), painter, room, most, size)
    if one.no_buffers:
        yield painter(f"\nno buffers: {one.no_buffers}\n", _WARN)


def _totals(one: Cost, painter: Painter, room: int, verbose: bool) -> Iterator[str]:
    """The totals, those with each loop counted once if they differ, and XLA's own."""
    is_looped = any(getattr(one, name) != number for name, number in one.once.items())
    kinds = {
        "total": True,
        "loops once": is_looped,
        "XLA's own": one.roofline is None or one.xla != XlaCost(),
    }
    heads = ("", *(kind for kind, is_shown in kinds.items() if is_shown))
    rows = [
        (name, *_numbers(one, key, tuple(kinds.values()), verbose))
        for key, name in _QUANTITIES.items()
        if key != "wire_bytes" or one.collectives
    ]
    wide = widths([heads, *rows])
    yield painter(aligned(heads, wide, 1), _DIM) + "\n"
    yield from (aligned(row, wide, 1) + "\n" for row in rows)
    if one.intensity is not None:
        yield f"{'intensity':<{wide[0]}}  {significant(one.intensity)} FLOPs/byte\n"
    memory = [f"{size(one.memory[name])} {word}" for name, word in _MEMORY.items() if one.memory.get(name)]
    for at, line in enumerate(joined(memory, room - wide[0] - 2) if memory else ()):
        yield f"{'' if at else 'memory':<{wide[0]}}  {line}\n"


def _numbers(one: Cost, quantity: str, shown: Sequence[bool], verbose: bool) -> Iterator[str]:
    """The cells of a row of totals that are shown; empty if unknown."""
    is_bytes = "bytes" in quantity
    known = [getattr(one, quantity), one.once.get(quantity), getattr(one.xla, quantity, None)]
    for number in compress(known, shown):
        if number is None:
            yield ""
        elif verbose:
            yield f"{number:,}{' B' if is_bytes else ''}"
        else:
            yield size(number) if is_bytes else amount(number)


def _notes(one: Cost) -> Iterator[tuple[str, str]]:
    """Notes, and their colours: why the numbers differ from XLA's, and what they leave out."""
    if one.devices > 1:
        yield f"all numbers are those of one device, of the {one.devices:,} that it runs on", _DIM
    if one.collectives:
        sent = f"what the device sends to others in {count(one.collectives, 'collective')}, if rings carry it"
        yield f"moved: {sent}", _DIM
    if any(loop.trip_count not in (1, None) for loop in one.loops):
        yield "XLA counts a loop body once, jitinspect every time it runs", _DIM
    unknown = sum(loop.trip_count is None for loop in one.loops)
    if unknown:
        yield f"{count(unknown, 'loop')} with an unknown trip count: one iteration of each is counted", _WARN
    if one.cycles is not None:
        without = sum(row.cycles is None for row in one.by_instruction)
        none = f", without {count(without, 'instruction')} that it gives none for" if without else ""
        yield f"{amount(one.cycles)} cycles by the compiler's own estimate{none}", _DIM
    if one.unmodelled:
        yield f"unknown FLOPs of custom calls: {', '.join(one.unmodelled)}", _WARN
    if one.branches:
        yield from _about_branches(one)
    if {"complex numbers", "FFTs"} & {*one.unlike_xla.get("flops", ())}:
        yield "FLOPs are real operations: 2 for a complex addition, 6 for a complex multiplication", _DIM
    yield from ((text, _DIM) for text in _about_xla(one))
    own = one.xla.peak_bytes if one.roofline is None else None
    if one.peak_bytes and own is not None and own < one.peak_bytes:
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
    if one.devices > 1:
        yield "jitinspect collectives counts what each branch sends", _DIM


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
    costs = amount(one.flops), percent(one.share), size(one.bytes)
    return *costs, rounds, f"{one.runs:,}", one.instruction, shown_path(one.at or "")


def _branches(one: Cost) -> _Section:
    heads = ("FLOPs", "bytes", "runs", "branch", "line")
    rows = [(_of_branch(branch), "" if branch.counted else _DIM) for branch in one.branches]
    return _Section("branches", heads, 2, rows, [0.0 for _ in rows])


def _of_branch(one: CostOfBranch) -> tuple[str, ...]:
    name = f"{one.index} of {one.instruction}{', counted' if one.counted else ''}"
    return amount(one.flops), size(one.bytes), f"{one.runs:,}", name, shown_path(one.at or "")


def _lines(one: Cost) -> _Section:
    bounds = ("HBM", "at least", "by") if one.roofline else ()
    cycles = () if one.cycles is None else ("cycles",)
    heads = ("FLOPs", "share", "transc.", "bytes", *_moved(one), *bounds, *cycles, "line", "text")
    rows = [(_of_line(line, one), _heat(line.share)) for line in one.by_line]
    return _Section("by line", heads, 2, rows, [line.share for line in one.by_line])


def _of_line(one: CostOfLine, whole: Cost) -> tuple[str, ...]:
    where = shown_path(f"{one.file}:{one.line}") if one.file else "no source line"
    cycles = [] if one.cycles is None else [amount(one.cycles) if one.cycles else ""]
    return *_counts(one, whole), *_bound(one), *cycles, where, one.text


def _bound(one: CostOfLine | Cost) -> tuple[str, ...]:
    """The cells of a roofline; none without a device."""
    if one.hbm_bytes is None or one.bound_seconds is None:
        return ()
    by = roofline.BOUND_BY[one.bound_by]
    return size(one.hbm_bytes), duration(one.bound_seconds) if by else "", by


def _instructions(one: Cost) -> _Section:
    """By what a TPU's compiler estimates for each."""
    total = one.cycles or 1
    known = [(row, row.cycles / total) for row in one.by_instruction if row.cycles]
    rows: list[Row] = [
        ((amount(row.cycles or 0), f"{row.runs:,}", row.instruction, shown_path(row.at or "")), _heat(share))
        for row, share in known
    ]
    shares = [share for _, share in known]
    return _Section("by instruction", ("cycles", "runs", "instruction", "line"), 2, rows, shares)


def _ops(one: Cost) -> _Section:
    heads = ("FLOPs", "share", "transc.", "bytes", *_moved(one), "instr.", "runs", "op")
    rows = [(_of_op(op, one), _heat(op.share)) for op in one.by_op]
    return _Section("by op", heads, 1, rows, [op.share for op in one.by_op])


def _of_op(one: CostOfOp, whole: Cost) -> tuple[str, ...]:
    return *_counts(one, whole), f"{one.instructions:,}", f"{one.runs:,}", one.op


def _moved(one: Cost) -> tuple[str, ...]:
    """The column of what is sent to other devices, if anything is."""
    return ("moved",) if one.wire_bytes else ()


def _counts(one: CostOfLine | CostOfOp, whole: Cost) -> tuple[str, ...]:
    """Empty for zero, so that the other numbers stand out."""
    sent = [size(one.wire_bytes) for _ in _moved(whole)]
    cells = amount(one.flops), percent(one.share), amount(one.transcendentals), size(one.bytes), *sent
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
    yield from table(section.heads, section.texts, section.rows[:most], painter, room)
    left = section.weights[most:]
    if left:
        yield painter(f"… and {len(left):,} more, {summed(sum(left))}", _DIM) + "\n"


def _whole(share: float) -> str:
    return percent(share) or "0%"


def _heat(share: float) -> str:
    return _HOT if share >= 0.5 else ""


def _sweep(report: CostReport, painter: Painter, width: int) -> Iterator[str]:
    """A row for each device and combination of sizes, and how each quantity grows."""
    names = tuple(report.cost.dims)
    devices = [one.roofline.device for one in report.sweep if one.roofline]
    bounds = ("HBM", "at least", "by") if devices else ()
    moved = ("moved",) if any(one.collectives for one in report.sweep) else ()
    heads = (*names, "FLOPs", "bytes", "transc.", "peak", *moved, *bounds, *(["device"] if devices else []))
    rows: list[Row] = [(_point(one, names, bool(moved)), "") for one in report.sweep]
    if not names:
        yield painter(cut_middle(report.cost.signature, width), _BOLD) + "\n"
    yield from table(heads, 1 if devices else 0, rows, painter, width)
    if devices:
        yield painter("at least: a bound, not a prediction", _DIM) + "\n"
    yield from _growth(report, names, painter)


def _growth(report: CostReport, names: Sequence[str], painter: Painter) -> Iterator[str]:
    fits = [(name, list(found)) for name, found in groupby(report.growth, lambda one: one.quantity)]
    if fits:
        yield "\n" + painter("growth", _BOLD) + "\n"
    wide = max((len(_QUANTITIES[name]) for name, _ in fits), default=0)
    for name, found in fits:
        yield f"{_QUANTITIES[name]:<{wide}}  {_power(found, painter)}\n"
    pairs = [name for name in names if len({one.dims[name] for one in report.sweep}) == 2]
    if fits and pairs:
        yield painter(f"two sizes fit any power: add a third of {', '.join(pairs)}", _DIM) + "\n"


def _point(one: Cost, names: Sequence[str], is_moved: bool) -> tuple[str, ...]:
    peak = "" if one.peak_bytes is None else size(one.peak_bytes)
    costs = amount(one.flops), size(one.bytes), amount(one.transcendentals), peak
    device = (one.roofline.device,) if one.roofline else ()
    moved = (size(one.wire_bytes),) if is_moved else ()
    return *(f"{one.dims[name]:,}" for name in names), *costs, *moved, *_bound(one), *device


def _power(found: Sequence[Growth], painter: Painter) -> str:
    """`~ B^1.00 · D^2.00`."""
    power = "~ " + " · ".join(f"{one.dim}^{one.exponent:.2f}" for one in found)
    error = found[0].error
    if error <= _ONE_POWER:
        return power
    return f"{power}  {painter(f'not a single power: off by up to {error:.0%}', _WARN)}"
