"""Where a program's time went: its functions, and the lines that took most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jitinspect.model.profiles import TimeOfLine, TimeOfOp
from jitinspect.model.program_profiles import ProgramProfile, TimeOfFunction, TraceReport
from jitinspect.render.readings.columns import Row, giga, heat, percent, table
from jitinspect.render.text import (
    ALL,
    Painter,
    cut_place,
    duration,
    hanging,
    joined,
    shown_path,
    shown_places,
)

_DIM, _WARN = "2", "33"
_MOST_FUNCTIONS, _MOST_LINES, _MOST_OPS = 10, 15, 10
"""Rows, unless verbose."""
_LITTLE, _MOST = 0.01, 0.9
_WHY_SO_LITTLE = (
    ": the program runs so many small operations that to record all of them would slow it down, as it does "
    "those that are recorded: they are more, and shorter"
)


def render(profile: ProgramProfile, painter: Painter, width: int, verbose: bool = False) -> Iterator[str]:
    """The time of the whole, then what took it; with `verbose` everything, and also by operation."""
    room = ALL if verbose else width
    yield from (line + "\n" for line in joined(list(_whole(profile)), width))
    for text, sgr in _notes(profile):
        yield from (painter(line, sgr) + "\n" for line in hanging(text, width))
    about = "" if profile.are_calls_exact else "≈ "
    functions = [_of_function(one, about) for one in profile.functions]
    lines = [_of_line(one) for one in profile.by_line]
    operations = [_of_operation(one, about) for one in profile.by_op]
    yield from _section(_FUNCTIONS, functions, ALL if verbose else _MOST_FUNCTIONS, painter, room)
    yield from _section(_LINES, lines, ALL if verbose else _MOST_LINES, painter, room)
    if verbose:
        yield from _section(_OPERATIONS, operations, ALL, painter, room)


def render_trace(report: TraceReport, painter: Painter, width: int, verbose: bool = False) -> Iterator[str]:
    """Of which traces, and the same."""
    for file in report.traces:
        yield painter(cut_place(file, ALL if verbose else width), "1") + "\n"
    yield from render(report.profile, painter, width, verbose)


def _whole(profile: ProgramProfile) -> Iterator[str]:
    wall = profile.wall_seconds
    yield f"{duration(wall)} in all"
    yield f"operations {_part(profile.covered_seconds, wall)}"
    if profile.compile_seconds is not None:
        yield f"tracing and compiling {_part(profile.compile_seconds, wall)}"
    if profile.host_seconds is not None:
        least = "≥ " if _may_overlap(profile) else ""
        yield f"the program's own code {least}{_part(profile.host_seconds, wall)}"
    elif wall > profile.covered_seconds:
        yield f"nothing ran {_part(wall - profile.covered_seconds, wall)}"


def _may_overlap(profile: ProgramProfile) -> bool:
    """Whether a good part may have been computed while something compiled, and be subtracted twice."""
    both = min(profile.covered_seconds, profile.compile_seconds or 0.0)
    return both > _LITTLE * profile.wall_seconds


def _part(seconds: float, of: float) -> str:
    return f"{duration(seconds)}, {seconds / of:.0%}" if of else duration(seconds)


def _notes(profile: ProgramProfile) -> Iterator[tuple[str, str]]:
    if len(profile.devices) > 1:
        yield f"{len(profile.devices)} devices: below, times are added up over all of them", _DIM
    elif profile.op_seconds > 1.02 * profile.covered_seconds:
        yield f"operations overlap: one by one they take {duration(profile.op_seconds)}", _DIM
    if profile.is_estimate:
        part = profile.recorded_seconds / profile.wall_seconds
        yield f"estimated from {part:.0%} of the time{_WHY_SO_LITTLE if part < _MOST else ''}", _DIM
    elif not profile.are_calls_exact:
        yield f"≈: recorded in {profile.pieces} pieces, and a call that ran as one ended is not counted", _DIM
    for one in profile.unmeasured:
        yield f"{duration(one.seconds)} were not measured: {one.why}", _WARN
    if profile.unsure_seconds:
        yield (
            f"{duration(profile.unsure_seconds)} are of executables from the compilation cache that could "
            "be one of several functions",
            _WARN,
        )
    if profile.without_hlo:
        yield f"no HLO is known of {', '.join(profile.without_hlo)}: they have no lines", _WARN
    if profile.untested:
        yield f"{profile.untested}: jitinspect was tested on CPUs only", _WARN
    if not profile.by_op:
        yield "no operation was recorded", _WARN


_FUNCTIONS = ("time", "share", "calls", "a call", "function", "line")
_LINES = ("time", "share", "GFLOP/s", "GB/s", "line", "source")
_OPERATIONS = ("time", "share", "runs", "GFLOP/s", "GB/s", "function", "operation", "line")


def _of_function(one: TimeOfFunction, about: str) -> Row:
    many = f" ({one.executables} executables)" if one.executables > 1 else ""
    cells = (
        duration(one.seconds),
        percent(one.share),
        f"{about}{one.calls:,}",
        duration(one.seconds_per_call),
    )
    return (*cells, one.function + many, shown_path(one.definition or "")), heat(one.share)


def _of_line(one: TimeOfLine) -> Row:
    place = shown_path(f"{one.file}:{one.line}") if one.file else "no source line"
    rates = giga(one.flops_per_second), giga(one.bytes_per_second)
    return (duration(one.seconds), percent(one.share), *rates, place, one.text), heat(one.share)


def _of_operation(one: TimeOfOp, about: str) -> Row:
    rates = giga(one.flops_per_second), giga(one.bytes_per_second)
    cells = duration(one.seconds), percent(one.share), f"{about}{one.runs:,.0f}", *rates
    return (*cells, one.program, one.op, shown_places(one.lines)), heat(one.share)


def _section(
    heads: Sequence[str], rows: Sequence[Row], most: int, painter: Painter, room: int
) -> Iterator[str]:
    """A table of the first rows, and how many others there are."""
    if not rows:
        return
    texts = len(heads) - (heads.index("a call") + 1 if "a call" in heads else heads.index("GB/s") + 1)
    yield "\n"
    yield from table(heads, texts, rows[:most], painter, room)
    if len(rows) > most:
        yield painter(f"… and {len(rows) - most:,} more; -v shows all", _DIM) + "\n"
