"""`compile-time`: what tracing, lowering and compiling take, and what by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from jitinspect.errors import UnavailableError
from jitinspect.ir.source_files import SourceFiles
from jitinspect.jaxapi.executables import dumps
from jitinspect.jaxapi.source_lines.equations_on_stack import equation_of
from jitinspect.jaxapi.traces import recording
from jitinspect.jaxapi.traces.compilation import TimedCompilation, set_up, timed, timed_elsewhere
from jitinspect.model import Target
from jitinspect.model.compile_times import Advice, CompileTime, CompileTimeReport
from jitinspect.process import garbage_collection
from jitinspect.process.stack_sampling import sampled
from jitinspect.readings.timings.advice import Call, advice
from jitinspect.readings.timings.growth import growth
from jitinspect.readings.timings.python_time import PythonTime
from jitinspect.readings.timings.stages import Stages, stages_of
from jitinspect.stages.inspection import Subject
from jitinspect.stages.pipeline import ELIDE_ABOVE


def read(target: Target, subjects: Iterator[Subject]) -> CompileTimeReport:
    """Traces, lowers and compiles each subject. Raises `UnavailableError` if it is for this machine, but not
    for its CPU, or if the program records a profile itself.
    """
    sources = SourceFiles()
    times = tuple(_Reading(target.file, subject, sources).compile_time() for subject in subjects)
    report = CompileTimeReport("compile-time", replace(target, signature=times[0].signature), times[0])
    return replace(report, sweep=times, growth=tuple(growth(times))) if len(times) > 1 else report


class _Reading:
    """One call, on its way through JAX."""

    def __init__(self, file: str | None, subject: Subject, sources: SourceFiles) -> None:
        if why := recording.why_not():
            raise UnavailableError(why)
        with subject.muted():
            set_up()
        self._subject, self._sources = subject, sources
        with sampled(equation_of) as samples:
            _ = subject.pipeline.traced
        self._traced = PythonTime(samples, file)
        with sampled(equation_of) as samples:
            lowered = subject.pipeline.lowered
        self._lowered = PythonTime(samples, file)
        self._instructions = _instruction_count(lowered)
        self._compilation = self._compiled(lowered)
        subject.pipeline.keep(self._compilation.compiled)
        self._file = file

    def compile_time(self) -> CompileTime:
        text = self._compilation.compiled.as_text()
        if text is None:
            raise UnavailableError("this backend does not print its compiled HLO")
        made = stages_of(
            Stages(self._traced, self._lowered, self._compilation, text, self._file), self._sources
        )
        found = replace(
            made,
            instructions=self._instructions,
            signature=self._subject.signature,
            dims=self._subject.dims,
        )
        return replace(found, advice=self._advice(found))

    def _advice(self, found: CompileTime) -> tuple[Advice, ...]:
        call = Call(self._subject.pipeline.traced, self._traced, self._lowered, self._file, self._sources)
        with garbage_collection.paused():
            return advice(found, call)

    def _compiled(self, lowered: Any) -> TimedCompilation:
        if self._subject.device:
            return timed_elsewhere(self._subject.pipeline.compiled)
        _require_cpu(dumps.platforms(lowered))
        return timed(lowered)


def _require_cpu(platforms: tuple[str, ...]) -> None:
    if platforms != ("cpu",):
        names = ", ".join(platforms)
        raise UnavailableError(
            f"of this machine's devices, compile-time reads the CPU's compiler only; this is for {names}",
            hint="JAX_PLATFORMS=cpu, or --target v5e or h100 for another compiler",
        )


def _instruction_count(lowered: Any) -> int:
    """Of the module that XLA is given; large constants are not printed, which would take longer than to
    compile them.
    """
    operation = lowered.compiler_ir("stablehlo").operation
    return sum(" = " in line for line in operation.get_asm(large_elements_limit=ELIDE_ABOVE).splitlines())
