"""The stages of one compilation, as they were seen → where the time of each went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jitinspect.ir import hlo
from jitinspect.ir.attribution import Line, attribute
from jitinspect.ir.source_files import SourceFiles
from jitinspect.jaxapi.traces.compilation import TimedCompilation
from jitinspect.model.compile_times import (
    CompileTime,
    FunctionTime,
    LineTime,
    PassTime,
    PhaseTime,
    PrimitiveTime,
)
from jitinspect.model.flames import Stack
from jitinspect.process import garbage_collection
from jitinspect.process.paths import relative
from jitinspect.process.stack_sampling import Samples
from jitinspect.readings.timings import kernel_rows
from jitinspect.readings.timings.kernel_lines import KernelLines
from jitinspect.readings.timings.python_time import PythonTime
from jitinspect.readings.timings.xla_time import XlaTime, grouped

_MOST_LINES = 3
"""Of a primitive's lowering."""


@dataclass(frozen=True, slots=True)
class Stages:
    """`text` is the optimized HLO, as JAX prints it; `file` is that of the target, if there is one."""

    traced: PythonTime
    lowered: PythonTime
    compilation: TimedCompilation
    text: str
    file: str | None = None

    def kernel_lines(self) -> KernelLines:
        with garbage_collection.paused():
            program = hlo.readable(self.text)
            return KernelLines(program, attribute(program, self.file))


def stages_of(seen: Stages, sources: SourceFiles) -> CompileTime:
    """All but what is known of the call alone: its signature, its size, advice. Raises `UnavailableError` if
    XLA recorded nothing.
    """
    xla, seconds = XlaTime(seen.compilation), seen.compilation.seconds
    kernels = kernel_rows.kernels(xla, seen.compilation, seen.kernel_lines())
    rows = kernel_rows.rows_of(xla, seconds, kernels)
    in_python = {"trace": seen.traced.samples, "lower": seen.lowered.samples}
    return CompileTime(
        wall_seconds={name: samples.seconds for name, samples in in_python.items()} | {"compile": seconds},
        phases=tuple(_phases(xla, seconds)),
        passes=tuple(_passes(xla, seconds)),
        kernels=tuple(row for row, _ in rows),
        by_line=tuple(_by_line(seen, kernel_rows.by_line(rows), sources)),
        functions=tuple(_functions(seen.traced)),
        primitives=tuple(_primitives(seen.lowered)),
        thread_seconds=sum(one.threads for one in xla.work),
        threads=xla.threads,
        stacks=tuple(_stacks(seen, xla.stacks(lambda module: kernels[module].name))),
        sampling_seconds=sum(samples.own_seconds for samples in in_python.values()),
        notes=(*_cut(in_python), *kernel_rows.notes(xla, seen.compilation)),
    )


def _cut(in_python: Mapping[str, Samples]) -> Iterator[str]:
    for stage, samples in in_python.items():
        if samples.was_cut:
            lost = f"the last {samples.last_seconds * 1e3:.0f} ms have no line"
            yield f"the function's own handler for SIGALRM ended the samples of its {stage}: {lost}"


def _by_line(seen: Stages, compiled: Mapping[Line, float], sources: SourceFiles) -> list[LineTime]:
    """The longest first."""
    traced, lowered = seen.traced.by_line(), seen.lowered.by_line()
    lines = dict.fromkeys(line for line in (*traced, *lowered, *compiled) if line is not None)
    rows = (
        LineTime(
            file=relative(line.file),
            line=line.line,
            text=sources.text_of(line),
            trace_seconds=traced.get(line, 0.0),
            compile_seconds=compiled.get(line, 0.0),
            lower_seconds=lowered.get(line, 0.0),
        )
        for line in lines
    )
    return sorted(rows, key=lambda row: -row.seconds)


def _functions(traced: PythonTime) -> Iterator[FunctionTime]:
    for one in traced.by_function():
        yield FunctionTime(one.function, relative(one.file), one.line, one.self_seconds, one.total_seconds)


def _primitives(lowered: PythonTime) -> Iterator[PrimitiveTime]:
    for one in lowered.by_primitive():
        lines = [relative(str(line)) for line in one.lines if line is not None]
        yield PrimitiveTime(one.primitive, one.seconds, tuple(lines[:_MOST_LINES]))


def _stacks(seen: Stages, compiled: list[Stack]) -> Iterator[Stack]:
    stages = {"trace": seen.traced.stacks(), "lower": seen.lowered.stacks(), "compile": compiled}
    for stage, stacks in stages.items():
        yield from (Stack((stage, *one.frames), one.seconds) for one in stacks)


def _phases(xla: XlaTime, seconds: float) -> Iterator[PhaseTime]:
    for phase, spent in grouped(xla.work, lambda one: one.part.phase).items():
        yield PhaseTime(phase, spent.wall, spent.wall / seconds, spent.threads)


def _passes(xla: XlaTime, seconds: float) -> Iterator[PassTime]:
    found = grouped(xla.work, lambda one: (one.part.pipeline, one.part.pass_) if one.part.pass_ else None)
    for (pipeline, pass_), spent in found.items():
        yield PassTime(pass_, spent.wall, pipeline, spent.runs, spent.wall / seconds)
