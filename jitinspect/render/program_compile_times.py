"""Where the long compilations of a program spent their time."""

from __future__ import annotations

from collections.abc import Iterator

from jitinspect.model.compile_times import ProgramCompilation, ProgramCompileTimes
from jitinspect.render.readings import compile_time
from jitinspect.render.readings.columns import Row, table
from jitinspect.render.text import ALL, Painter, count, duration, hanging, shown_path

_DIM = "2"
_MOST, _MOST_PHASES = 10, 3
"""Rows, unless verbose, and phases in each."""


def render(times: ProgramCompileTimes, painter: Painter, width: int, verbose: bool = False) -> Iterator[str]:
    """A row for each, then the lines of all; with `verbose` each in full."""
    room = ALL if verbose else width
    shown = times.compilations if verbose else times.compilations[:_MOST]
    rows: list[Row] = [(_cells(one), "") for one in shown]
    if rows:
        yield from table(_HEADS, 4, rows, painter, room)
    if left := times.compilations[len(shown) :]:
        yield painter(f"… and {len(left)} more, {duration(sum(one.seconds for one in left))}", _DIM) + "\n"
    if times.by_line:
        yield from compile_time.lines(times.by_line, painter, room, verbose)
    for text in _notes(times):
        yield from (painter(line, _DIM) + "\n" for line in hanging(text, width))
    for one in times.compilations if verbose else ():
        yield "\n"
        yield from compile_time.call(one.compile_time, painter, width, verbose=False)


_HEADS = ("total", "trace", "lower", "compile", "function", "line", "of the compilation")


def _cells(one: ProgramCompilation) -> tuple[str, ...]:
    found = one.compile_time
    stages = (duration(found.wall_seconds[stage]) for stage in ("trace", "lower", "compile"))
    phases = (f"{phase.phase} {phase.share:.0%}" for phase in found.phases[:_MOST_PHASES])
    place = shown_path(one.at or one.definition or "")
    return (duration(one.seconds), *stages, one.function, place, " · ".join(phases))


def _notes(times: ProgramCompileTimes) -> Iterator[str]:
    if times.other:
        few, least = count(times.other, "compilation"), duration(times.least_seconds)
        yield f"not shown: {few} of less than {least}, tracing and lowering included"
    yield from times.notes
