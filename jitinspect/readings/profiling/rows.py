"""The times of programs as rows of a report: of one call, or of all, by what they are divided by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jitinspect.ir.attribution import Line
from jitinspect.ir.source_files import SourceFiles
from jitinspect.model.flames import Stack
from jitinspect.model.profiles import CodeLine, TimeOfLine, TimeOfLoop, TimeOfOp
from jitinspect.process.paths import relative
from jitinspect.readings.profiling.times import LoopTime, OperationTime, ProgramTimes, Spent

NO_LINE = "no source line"
_NEAR = 1
"""Lines before and after one with time that are shown with it."""


class Rows:
    """Of several programs together; each sum is divided by `per`."""

    def __init__(self, programs: Sequence[ProgramTimes], per: float, sources: SourceFiles) -> None:
        self._programs = programs
        self._per = per
        self._sources = sources
        self._all = sum(one.seconds for one in programs)

    @property
    def seconds(self) -> float:
        """Of all operations."""
        return self._all / self._per

    def by_line(self) -> tuple[TimeOfLine, ...]:
        """The longest first; the seconds are those of all operations."""
        lines: dict[Line | None, Spent] = {}
        for program in self._programs:
            for line, spent in program.by_line.items():
                total = lines.setdefault(line, Spent())
                total.seconds += spent.seconds
                total.flops += spent.flops
                total.bytes += spent.bytes
        rows = [self._line(line, spent) for line, spent in lines.items() if spent.seconds or spent.flops]
        return tuple(sorted(rows, key=lambda row: -row.seconds))

    def by_op(self) -> tuple[TimeOfOp, ...]:
        """The longest first."""
        rows = (self._op(one, program.module) for program in self._programs for one in program.operations)
        return tuple(sorted(rows, key=lambda row: -row.seconds))

    def loops(self) -> tuple[TimeOfLoop, ...]:
        """The longest first."""
        rows = (self._loop(loop) for program in self._programs for loop in program.loops)
        return tuple(sorted(rows, key=lambda row: -row.seconds))

    def stacks(self) -> tuple[Stack, ...]:
        """Function, line, operation; together they are the seconds of all operations."""
        return tuple(stack for program in self._programs for stack in self._stacks(program) if stack.seconds)

    def code(self) -> tuple[CodeLine, ...]:
        """The lines with time, those next to them, and the first of their functions."""
        shown: set[Line] = set()
        for line in {line for program in self._programs for line in program.by_line if line}:
            function = self._sources[line.file].function(line.line)
            near = range(max(line.line - _NEAR, function.start), min(line.line + _NEAR + 1, function.stop))
            shown |= {Line(line.file, number) for number in (function.start, *near)}
        return tuple(
            CodeLine(relative(line.file), line.line, self._sources[line.file].text(line.line))
            for line in sorted(shown)
        )

    def _line(self, line: Line | None, spent: Spent) -> TimeOfLine:
        return TimeOfLine(
            file=relative(line.file) if line else None,
            line=line.line if line else None,
            text=self._sources.text_of(line) if line else "",
            seconds=spent.seconds / self._per,
            share=self._share(spent.seconds),
            flops=round(spent.flops / self._per),
            bytes=round(spent.bytes / self._per),
            flops_per_second=_rate(spent.flops, spent.seconds),
            bytes_per_second=_rate(spent.bytes, spent.seconds),
        )

    def _op(self, one: OperationTime, module: str) -> TimeOfOp:
        return TimeOfOp(
            op=one.name,
            seconds=one.seconds / self._per,
            runs=one.runs / self._per,
            lines=tuple(relative(str(line)) for line in one.parts if line),
            opcode=one.operation.opcode if one.operation else "",
            share=self._share(one.seconds),
            flops=round(one.flops / self._per),
            bytes=round(one.bytes / self._per),
            flops_per_second=_rate(one.flops, one.seconds),
            bytes_per_second=_rate(one.bytes, one.seconds),
            program=module,
        )

    def _loop(self, loop: LoopTime) -> TimeOfLoop:
        return TimeOfLoop(
            op=loop.operation.names[0],
            at=relative(str(loop.lines[0])) if loop.lines else None,
            trips=None if loop.iterations is None else loop.iterations / loop.runs,
            runs=loop.runs / self._per,
            seconds=loop.seconds / self._per,
            share=self._share(loop.seconds),
        )

    def _stacks(self, program: ProgramTimes) -> Iterator[Stack]:
        for one in program.operations:
            for line, part in one.parts.items():
                functions = program.functions(one, line) or (program.module,)
                yield Stack((*functions, self._told(line), one.name), one.seconds * part / self._per)

    def _told(self, line: Line | None) -> str:
        if line is None:
            return NO_LINE
        return f"{relative(str(line))}  {self._sources.text_of(line)}".rstrip()

    def _share(self, seconds: float) -> float:
        return seconds / self._all if self._all else 0.0


def _rate(amount: float, seconds: float) -> float | None:
    return amount / seconds if amount and seconds > 0 else None
