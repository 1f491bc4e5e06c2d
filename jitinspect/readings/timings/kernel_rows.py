"""What each kernel took, and its lines: the rows of `compile-time`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from jitinspect.ir.attribution import Line
from jitinspect.jaxapi.traces.compilation import TimedCompilation
from jitinspect.model.compile_times import KernelTime
from jitinspect.process.paths import relative
from jitinspect.readings.timings import kernel_lines, xla_phases
from jitinspect.readings.timings.kernel_lines import Kernel, KernelLines
from jitinspect.readings.timings.xla_time import XlaTime, grouped

Rows = list[tuple[KernelTime, tuple[Line, ...]]]


def kernels(xla: XlaTime, compilation: TimedCompilation, lines: KernelLines) -> dict[str, Kernel]:
    """That of each of LLVM's modules."""
    symbols = {one.module: one.symbols for one in compilation.kernels}
    modules = {one.part.module for one in xla.work if one.part.module}
    return {module: lines.kernel(module, symbols.get(module, ())) for module in modules}


def rows_of(xla: XlaTime, seconds: float, known: Mapping[str, Kernel]) -> Rows:
    """A row for each of LLVM's modules, with its lines, the longest first. `seconds` are those of all."""
    phases = grouped(xla.work, lambda one: (one.part.module, one.part.phase))
    rivals = {one.kernel.module: one.rivals for one in xla.compiled}
    all_known = not any(one.part.phase == xla_phases.LLVM and not one.part.module for one in xla.work)
    rows = []
    for module, spent in grouped(xla.work, lambda one: one.part.module or None).items():
        llvm = phases.get((module, xla_phases.LLVM))
        row = KernelTime(
            kernel=known[module].name,
            seconds=spent.wall,
            lines=tuple(relative(str(line)) for line in known[module].lines),
            share=spent.wall / seconds,
            thread_seconds=spent.threads,
            codegen_seconds=spent.threads - (llvm.threads if llvm else 0.0),
            llvm_seconds=llvm.threads if llvm else 0.0 if all_known else None,
            instructions=known[module].instructions,
            swappable=tuple(known[rival].name for rival in rivals.get(module, ())),
        )
        rows.append((row, known[module].lines))
    return rows


def by_line(rows: Rows) -> dict[Line, float]:
    """The seconds on the wall clock; a kernel's are divided equally among its lines."""
    seconds: defaultdict[Line, float] = defaultdict(float)
    for row, lines in rows:
        for line in lines:
            seconds[line] += row.seconds / len(lines)
    return dict(seconds)


def notes(xla: XlaTime, compilation: TimedCompilation) -> Iterator[str]:
    """What is not known of kernels."""
    found = {one.kernel.module for one in xla.compiled}
    if lacking := [one.module for one in compilation.kernels if one.module not in found]:
        names = ", ".join(kernel_lines.plain(module) for module in lacking)
        yield f"XLA's events do not tell when LLVM compiled {names}: that is counted as linking"
    unnamed = [one for one in xla.work if one.part.phase in xla_phases.OF_KERNELS and not one.part.module]
    if compilation.elsewhere and unnamed:
        seconds = sum(one.threads for one in unnamed)
        yield f"{seconds:.3g} s of the threads' time are of kernels that XLA's events do not name"
