"""`profile`: the source with the time of each line, then loops and operations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from statistics import median

from jitinspect.model.profiles import CodeLine, Profile, ProfileReport, TimeOfLine, TimeOfLoop, TimeOfOp
from jitinspect.model.program_profiles import TraceReport
from jitinspect.render import program_profile
from jitinspect.render.readings.columns import Row, giga, heat, percent, table
from jitinspect.render.text import (
    ALL,
    Painter,
    amount,
    count,
    cut_middle,
    cut_place,
    duration,
    hanging,
    joined,
    shown_path,
    shown_places,
    size,
)

_DIM, _BOLD, _WARN = "2", "1", "33"
_MOST_OPS, _MOST_LINES = 10, 30
"""Rows, unless verbose."""
_BAR = 10
_BLOCKS = " ▏▎▍▌▋▊▉█"
_LEAST_TEXT = 30
"""Columns of Python text, before there is room for rates."""
_OVERLAPPING = 1.02
_MUCH_OVERHEAD = 1.05
_SHORT = "short ones still seem longer than they are"


def render(
    report: ProfileReport | TraceReport, painter: Painter, width: int, verbose: bool = False
) -> Iterator[str]:
    """The time of a call first, then what took it; of a trace, that of everything in it."""
    if isinstance(report, TraceReport):
        yield from program_profile.render_trace(report, painter, width, verbose)
        return
    one, room = report.profile, ALL if verbose else width
    yield painter(cut_middle(one.signature, room), _BOLD) + "\n"
    yield from _whole_call(one, painter, room)
    for text, sgr in _notes(one):
        yield from (painter(line, sgr) + "\n" for line in hanging(text, room))
    yield from _source(one, painter, width, verbose)
    most = ALL if verbose else _MOST_OPS
    yield from _section("loops", _LOOP_HEADS, [_of_loop(loop) for loop in one.loops], most, painter, room)
    yield from _section("by operation", _OP_HEADS, [_of_op(op) for op in one.by_op], most, painter, room)
    left = one.by_op[most:]
    if left:
        rest = duration(sum(op.seconds for op in left))
        yield painter(f"… and {len(left):,} more, {rest}; -v shows all", _DIM) + "\n"


def _whole_call(one: Profile, painter: Painter, room: int) -> Iterator[str]:
    """Its wall time, how that varies, and what no operation covers."""
    walls = sorted(call.wall_seconds for call in one.by_call)
    spread = [f"{duration(walls[0])} to {duration(walls[-1])}", f"median {duration(median(walls))}"]
    which = "under the profiler" if one.overhead is None else "without the profiler"
    of = [f"mean of {count(one.calls, 'call')}", which, *spread] if one.calls > 1 else ["one call", which]
    for at, line in enumerate(joined(of, room - 26)):
        head = "" if at else f"a call    {duration(one.wall_seconds):>8}"
        yield f"{head:<26}{painter(line, _DIM)}\n"
    left = max(0.0, one.wall_seconds - one.covered_seconds)
    parts = (("operations", one.covered_seconds, ""), ("the rest", left, "dispatch, transfers, idle"))
    for name, seconds, what in parts:
        share = seconds / one.wall_seconds if one.wall_seconds else 0.0
        yield f"{name:<10}{duration(seconds):>8}  {share:>4.0%}  {painter(what, _DIM)}".rstrip() + "\n"


def _notes(one: Profile) -> Iterator[tuple[str, str]]:
    if one.values:
        told = ", ".join(f"{kind} {what}" for kind, what in one.values.items())
        yield f"made values: {told}; --args-from gives your own", _DIM
    if len(one.by_device) > 1:
        busy = [device.seconds for device in one.by_device]
        between = f"{duration(min(busy))} to {duration(max(busy))}"
        yield f"below, times are those of one device, on average of {len(busy)}: they ran {between}", _DIM
    elif one.op_seconds > _OVERLAPPING * one.covered_seconds:
        yield f"operations overlap: one by one they take {duration(one.op_seconds)}", _DIM
    if one.by_op and one.overhead and one.overhead > _MUCH_OVERHEAD:
        typical = median(call.wall_seconds for call in one.by_call)
        told = f"{duration(typical * one.overhead)} under the profiler"
        yield f"a call took {told}: what that adds is taken off all operations evenly, and {_SHORT}", _WARN
    if any(loop.trips == 0 for loop in one.loops) and one.values:
        yield "a loop made no iteration: with other values it may", _WARN
    if not one.by_op:
        yield "no operation was recorded: the program has none, or this platform records none", _WARN
    if one.untested:
        yield f"{one.untested}: jitinspect was tested on CPUs only", _WARN


def _source(one: Profile, painter: Painter, width: int, verbose: bool) -> Iterator[str]:
    """The files in the order of their time."""
    shown = one.by_line if verbose else one.by_line[:_MOST_LINES]
    times: _Times = {(row.file, row.line): row for row in shown if row.file}
    lines = one.code if len(shown) == len(one.by_line) else _near(one.code, times)
    code = {file: list(found) for file, found in groupby(lines, attrgetter("file"))}
    files: dict[str, float] = {}
    for row in shown:
        if row.file:
            files[row.file] = files.get(row.file, 0.0) + row.seconds
    for file in sorted(files, key=lambda file: -files[file]):
        yield from _file(file, code[file], times, painter, width, verbose)
    yield from (painter(f"\n{_time_cells(row)}  no source line\n", _DIM) for row in shown if not row.file)
    left = one.by_line[len(shown) :]
    if left:
        share = sum(row.share for row in left)
        yield painter(f"… and {count(len(left), 'line')} more, {share:.1%}; -v shows all", _DIM) + "\n"


_Times = dict[tuple[str | None, int | None], TimeOfLine]
_RATE_HEADS = ("FLOPs", "GFLOP/s", "bytes", "GB/s")


def _file(
    file: str, code: Sequence[CodeLine], times: _Times, painter: Painter, width: int, verbose: bool
) -> Iterator[str]:
    """Time on the left of the text; FLOPs, bytes and rates on the right, if there is room."""
    number = max(len(str(one.line)) for one in code)
    left = len(_time_cells(None)) + number + 4
    cells = [_rates(row) for row in times.values() if row.file == file]
    wide = [max(map(len, column)) for column in zip(_RATE_HEADS, *cells, strict=True)]
    longest = max(len(one.text) for one in code)
    taken = left + sum(wide) + 2 * len(wide)
    has_rates = verbose or width >= taken + min(longest, _LEAST_TEXT)
    room = longest if verbose else max(1, min(longest, width - (taken if has_rates else left)))
    heads = "".join(f"  {head:>{size}}" for head, size in zip(_RATE_HEADS, wide, strict=True))
    head = f"{'time':>8}  share  {'':{_BAR}}  {'':{number}}  "
    place = f"{cut_place(file, room if has_rates else max(room, width - left)):<{room}}"
    yield f"\n{painter(head, _DIM)}{painter(place, _BOLD)}"
    yield (painter(heads, _DIM) if has_rates else "") + "\n"
    before = None
    for one in code:
        if before is not None and one.line > before + 1:
            yield painter(" " * (left - number - 2) + "⋮".rjust(number), _DIM) + "\n"
        before = one.line
        yield _row(one, times.get((file, one.line)), (number, room), wide if has_rates else [], painter)


def _near(code: Sequence[CodeLine], times: _Times) -> list[CodeLine]:
    """Without the surroundings of lines that are not shown."""
    return [
        one
        for at, one in enumerate(code)
        if any((other.file, other.line) in times for other in code[max(at - 1, 0) : at + 2])
    ]


def _row(
    one: CodeLine, time: TimeOfLine | None, at: tuple[int, int], wide: Sequence[int], painter: Painter
) -> str:
    number, room = at
    text = one.text if len(one.text) <= room else one.text[: room - 1] + "…"
    cells = painter(_time_cells(time), heat(time.share) if time else "")
    line = painter(f"{one.line:>{number}}", _DIM)
    if time is None:
        return f"{cells}  {line}  {painter(text, _DIM)}".rstrip() + "\n"
    rates = "".join(f"  {cell:>{size}}" for cell, size in zip(_rates(time), wide, strict=False))
    return f"{cells}  {line}  {text:<{room}}{rates}".rstrip() + "\n"


def _time_cells(time: TimeOfLine | None) -> str:
    """The seconds, the share, and a bar of it; as wide if there is no time."""
    if time is None:
        return " " * (8 + 2 + 5 + 2 + _BAR)
    return f"{duration(time.seconds):>8}  {percent(time.share):>5}  {_bar(time.share):<{_BAR}}"


def _bar(share: float) -> str:
    eighths = round(share * _BAR * 8)
    full, part = divmod(min(eighths, _BAR * 8), 8)
    return ("█" * full + _BLOCKS[part]).rstrip()


def _rates(one: TimeOfLine | TimeOfOp) -> tuple[str, ...]:
    return (
        amount(one.flops) if one.flops else "",
        giga(one.flops_per_second),
        size(one.bytes) if one.bytes else "",
        giga(one.bytes_per_second),
    )


_LOOP_HEADS = ("time", "trips", "a trip", "runs", "loop", "line")
_OP_HEADS = ("time", "share", "runs", "GFLOP/s", "GB/s", "operation", "line")


def _of_loop(one: TimeOfLoop) -> Row:
    trips = "?" if one.trips is None else _count(one.trips)
    each = duration(one.seconds / one.runs / one.trips) if one.trips and one.runs else ""
    cells = duration(one.seconds), trips, each, _count(one.runs)
    return (*cells, one.op, shown_path(one.at or "")), heat(one.share)


def _of_op(one: TimeOfOp) -> Row:
    _, flops, _, moved = _rates(one)
    cells = duration(one.seconds), percent(one.share), _count(one.runs), flops, moved
    return (*cells, one.op, shown_places(one.lines)), heat(one.share)


def _section(
    title: str, heads: Sequence[str], rows: Sequence[Row], most: int, painter: Painter, room: int
) -> Iterator[str]:
    if rows:
        yield "\n" + painter(title, _BOLD) + "\n"
        yield from table(heads, 2, rows[:most], painter, room)


def _count(number: float) -> str:
    return f"{number:,.0f}" if number == round(number) else f"{number:,.1f}"
