"""`compile-time` as text: the stages, then what took most of them, by phase, kernel, line and pass."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial

from jitinspect.model.compile_times import (
    CompileTime,
    CompileTimeReport,
    FunctionTime,
    Growth,
    KernelTime,
    LineTime,
    PassTime,
    PhaseTime,
    PrimitiveTime,
)
from jitinspect.render.readings.columns import Row, table
from jitinspect.render.readings.percall import each_in_full
from jitinspect.render.text import (
    ALL,
    Painter,
    count,
    cut_middle,
    duration,
    hanging,
    joined,
    shown_path,
    shown_places,
)

_DIM, _BOLD, _HOT, _HINT, _WARN = "2", "1", "1;31", "36", "33"
_BAR = 24
"""Columns of a bar for all of it."""
_MOST = {"kernels": 8, "lines": 8, "passes": 5, "functions": 6, "primitives": 6}
"""Rows of a table, unless verbose."""
_LITTLE = 0.01
"""Of the compilation: shorter phases and passes are left out, unless verbose."""
_MUCH = 0.1
"""Of all: the functions of a shorter trace, or the primitives of a shorter lowering, are left out, unless
verbose.
"""
_NARROWEST = 60
_FLAT = 0.05
"""An exponent that is no growth."""
_NUMBER = re.compile(r"\.\d+$")

Cells = tuple[str, ...]


def render(report: CompileTimeReport, painter: Painter, width: int, verbose: bool) -> Iterator[str]:
    """One call in full; for a sweep, a row each, and with `-v` each in full."""
    if not report.sweep:
        yield from call(report.compile_time, painter, width, verbose)
        return
    yield from _sweep(report, painter, width)
    in_full = partial(call, painter=painter, width=width, verbose=verbose)
    yield from each_in_full(report.sweep, in_full, "phase, kernel, line and pass", painter, verbose)


def call(one: CompileTime, painter: Painter, width: int, verbose: bool) -> Iterator[str]:
    room = ALL if verbose else width
    yield painter(cut_middle(one.signature, room), _BOLD) + "\n"
    yield from _stages(one, painter, width)
    for advice in one.advice:
        at = f"{shown_path(advice.line)}: " if advice.line else ""
        cost = f"{duration(advice.seconds)}, {advice.share:.0%}"
        text = f"hint  {at}{advice.text} ({cost})"
        yield from (painter(line, _HINT) + "\n" for line in hanging(text, width))
    stages = sorted(_OF_STAGE, key=lambda stage: -one.wall_seconds[stage])
    first, *others = (_OF_STAGE[stage] for stage in stages)
    for section in (*first, _lines, *(part for parts in others for part in parts), _passes):
        yield from section(one, painter, room, verbose)
    for text, sgr in _notes(one):
        yield from (painter(line, sgr) + "\n" for line in hanging(text, width))


def _stages(one: CompileTime, painter: Painter, width: int) -> Iterator[str]:
    total = sum(one.wall_seconds.values())
    yield f"{'total':<7}  {duration(total):>7}\n"
    for stage, spent in one.wall_seconds.items():
        bar = _bar(spent / total, width - 26)
        yield (
            f"{stage:<7}  {duration(spent):>7}  {spent / total:>4.0%}  {painter(bar, _HINT)}".rstrip() + "\n"
        )


def _bar(share: float, room: int) -> str:
    return "█" * round(share * max(min(room, _BAR), 0))


def _phases(one: CompileTime, painter: Painter, room: int, verbose: bool) -> Iterator[str]:
    shown = [phase for phase in one.phases if verbose or phase.share >= _LITTLE]
    left = room - max(len(phase.phase) for phase in shown) - 27
    rows = [_phase_cells(phase, left) for phase in shown]
    heads = ("wall", "share", "threads", "phase", "")
    yield from _section("compile, by phase", heads, rows, painter, max(room, _NARROWEST))
    yield from _left("phase", [phase.seconds for phase in one.phases[len(shown) :]], painter)


def _phase_cells(one: PhaseTime, left: int) -> Cells:
    numbers = duration(one.seconds), f"{one.share:.0%}", duration(one.thread_seconds)
    return (*numbers, one.phase, _bar(one.share, left))


def _kernels(one: CompileTime, painter: Painter, room: int, verbose: bool) -> Iterator[str]:
    """Kernels that differ only in their number, as those of the layers of a model, are one row."""
    groups = [[row] for row in one.kernels] if verbose else _alike(one.kernels)
    shown = groups if verbose else groups[: _MOST["kernels"]]
    rows = [_kernel_cells(group) for group in shown]
    heads = ("wall", "share", "codegen", "LLVM", "kernel", "line")
    yield from _section(f"by kernel, {len(one.kernels):,} in all", heads, rows, painter, room)
    yield from _left("kernel", [row.seconds for group in groups[len(shown) :] for row in group], painter)


def _alike(kernels: Sequence[KernelTime]) -> list[list[KernelTime]]:
    groups: dict[tuple[str, tuple[str, ...]], list[KernelTime]] = {}
    for row in kernels:
        groups.setdefault((_NUMBER.sub("", row.kernel), row.lines), []).append(row)
    return sorted(groups.values(), key=lambda group: -sum(row.seconds for row in group))


def _kernel_cells(group: Sequence[KernelTime]) -> Cells:
    llvm = [row.llvm_seconds for row in group if row.llvm_seconds is not None]
    is_unsure = len(llvm) < len(group) or any(row.swappable for row in group)
    name = group[0].kernel
    return (
        duration(sum(row.seconds for row in group)),
        f"{sum(row.share for row in group):.0%}",
        _some(sum(row.codegen_seconds for row in group)),
        _some(sum(llvm)) + ("?" if is_unsure else ""),
        name if len(group) == 1 else f"{len(group)} × {_NUMBER.sub('', name)}",
        shown_places(group[0].lines),
    )


def _some(seconds: float) -> str:
    return duration(seconds) if seconds else ""


def _lines(one: CompileTime, painter: Painter, room: int, verbose: bool) -> Iterator[str]:
    yield from lines(one.by_line, painter, room, verbose)


def lines(rows: Sequence[LineTime], painter: Painter, room: int, verbose: bool) -> Iterator[str]:
    """A table of what each line took in each stage."""
    shown = rows if verbose else rows[: _MOST["lines"]]
    heads = ("total", "trace", "lower", "kernels", "line", "text")
    yield from _section("by line", heads, list(map(_line_cells, shown)), painter, room)
    yield from _left("line", [line.seconds for line in rows[len(shown) :]], painter)


def _line_cells(line: LineTime) -> Cells:
    parts = (line.trace_seconds, line.lower_seconds, line.compile_seconds)
    return (*map(_some, (line.seconds, *parts)), shown_path(f"{line.file}:{line.line}"), line.text)


def _passes(one: CompileTime, painter: Painter, room: int, verbose: bool) -> Iterator[str]:
    long = [row for row in one.passes if row.share >= _LITTLE]
    shown = one.passes if verbose else long[: _MOST["passes"]]
    heads = ("wall", "share", "runs", "pass", "pipeline")
    yield from _section("by pass", heads, list(map(_pass_cells, shown)), painter, room)
    if shown:
        yield from _left("pass", [row.seconds for row in one.passes[len(shown) :]], painter, "es")


def _pass_cells(one: PassTime) -> Cells:
    return duration(one.seconds), f"{one.share:.0%}", f"{one.runs:,}", one.pass_, one.pipeline


def _functions(one: CompileTime, painter: Painter, room: int, verbose: bool) -> Iterator[str]:
    if verbose or _is_much(one, "trace"):
        rows = list(map(_function_cells, one.functions if verbose else one.functions[: _MOST["functions"]]))
        yield from _section("trace, by function", ("total", "self", "function", "line"), rows, painter, room)


def _function_cells(one: FunctionTime) -> Cells:
    place = shown_path(f"{one.file}:{one.line}")
    return duration(one.total_seconds), duration(one.self_seconds), one.function, place


def _primitives(one: CompileTime, painter: Painter, room: int, verbose: bool) -> Iterator[str]:
    if verbose or _is_much(one, "lower"):
        shown = one.primitives if verbose else one.primitives[: _MOST["primitives"]]
        rows = list(map(_primitive_cells, shown))
        yield from _section("lower, by primitive", ("seconds", "primitive", "line"), rows, painter, room)


def _primitive_cells(one: PrimitiveTime) -> Cells:
    return duration(one.seconds), one.primitive, shown_places(one.lines)


def _is_much(one: CompileTime, stage: str) -> bool:
    return one.wall_seconds[stage] >= _MUCH * sum(one.wall_seconds.values())


_OF_STAGE = {"trace": (_functions,), "lower": (_primitives,), "compile": (_phases, _kernels)}
"""What is shown of each stage, that of the longest first. Passes, which rarely take long, come last."""


def _section(
    title: str, heads: Sequence[str], rows: Sequence[Cells], painter: Painter, room: int
) -> Iterator[str]:
    """A table under its title, the last two columns of which are texts; nothing without rows."""
    if rows:
        yield "\n" + painter(title, _BOLD) + "\n"
        yield from table(heads, 2, [(cells, "") for cells in rows], painter, room)


def _left(what: str, seconds: Sequence[float], painter: Painter, many: str = "s") -> Iterator[str]:
    """What is not shown."""
    if seconds:
        yield (
            painter(f"… and {count(len(seconds), what, many=many)} more, {duration(sum(seconds))}", _DIM)
            + "\n"
        )


def _notes(one: CompileTime) -> Iterator[tuple[str, str]]:
    wall = one.wall_seconds["compile"]
    yield (
        f"wall: by the clock; where several threads worked at once, each has its part. threads: the sum over "
        f"{count(one.threads, 'thread')}, {duration(one.thread_seconds)} in {duration(wall)}",
        _DIM,
    )
    if one.sampling_seconds:
        yield f"sampling the Python stack took {duration(one.sampling_seconds)} of trace and lower", _DIM
    if swapped := [row.kernel for row in one.kernels if row.swappable]:
        yield f"?: these ended together, and may have each other's time: {', '.join(swapped)}", _WARN
    yield from ((note, _WARN) for note in one.notes)


def _sweep(report: CompileTimeReport, painter: Painter, width: int) -> Iterator[str]:
    """A row for each size, and how the parts grow."""
    yield painter(cut_middle(report.target.signature, width), _BOLD) + "\n"
    dims = list(report.sweep[0].dims)
    heads = [*dims, "instr", "total", *report.sweep[0].wall_seconds]
    rows: list[Row] = [(tuple(_sweep_cells(one)), "") for one in report.sweep]
    yield from table(heads, 0, rows, painter, width)
    yield from _growth(report.growth, report.sweep, painter, width)


def _sweep_cells(one: CompileTime) -> Iterator[str]:
    yield from (f"{size:,}" for size in one.dims.values())
    yield f"{one.instructions:,}"
    yield from map(duration, (sum(one.wall_seconds.values()), *one.wall_seconds.values()))


def _growth(
    growth: Sequence[Growth], sweep: Sequence[CompileTime], painter: Painter, width: int
) -> Iterator[str]:
    """The parts that outgrow the program; the others are named."""
    for dim in dict.fromkeys(one.dim for one in growth):
        parts = [one for one in growth if one.dim == dim]
        grows = f"grow as {_power(dim, parts[0].program)}" if parts[0].program > _FLAT else "do not grow"
        yield f"\nwith {dim} the program's instructions {grows}\n"
        for one in parts:
            if one.faster:
                error = f" (± {one.error:.0%})" if one.error > 0.02 else ""
                text = f"{one.part} grows faster: as {_power(dim, one.exponent)}{error}"
                yield from (painter(line, _HOT) + "\n" for line in hanging(text, width))
        others = [
            f"{one.part} {_power(dim, one.exponent)}" for one in parts if one.is_clear and not one.faster
        ]
        unclear = [one.part for one in parts if not one.is_clear]
        if len({time.dims[dim] for time in sweep}) < 3:
            yield painter(f"two sizes fit any power: add a third of {dim}\n", _DIM)
        if others:
            yield from (line + "\n" for line in joined(["not faster: " + others[0], *others[1:]], width))
        if unclear:
            yield from (
                line + "\n" for line in joined([f"no power of {dim}: {unclear[0]}", *unclear[1:]], width)
            )


def _power(dim: str, exponent: float) -> str:
    return f"{dim}^{exponent:.1f}"
