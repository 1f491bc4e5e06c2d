"""The recorded runs of a program, joined with its HLO: seconds by operation, line and loop.

A fusion's seconds are divided among its lines as its FLOPs and transcendental operations are, which is how
`cost` divides; evenly where it has none.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from jitinspect.ir.attribution import Attribution, Line, attribute
from jitinspect.ir.hlo import loop_parts
from jitinspect.ir.program import Operation, Program
from jitinspect.ir.program_runs import ProgramRun, inner_by_name, self_seconds, settled
from jitinspect.readings.cost_model.by_line import divided_by_line
from jitinspect.readings.cost_model.instruction_costs import (
    InstructionCost,
    ProgramCost,
    program_cost,
)
from jitinspect.readings.profiling.block_runs import block_runs

_RUNS_OTHERS = ("while", "conditional", "call", "async-start")
"""Opcodes of operations during which those of other computations run, with events of their own."""


@dataclass(slots=True)
class Spent:
    """What an operation, or a line, took and did in all runs together."""

    seconds: float = 0.0
    flops: float = 0.0
    bytes: float = 0.0


@dataclass(slots=True)
class OperationTime(Spent):
    """`seconds` are without those of the operations that it runs. `runs` is how often it ran; `parts` are its
    lines, None for none, and the part of its seconds that is for each. `operation` is None if the HLO is not
    known, or has none of that name.
    """

    name: str = ""
    runs: int = 0
    parts: dict[Line | None, float] = field(default_factory=lambda: {None: 1.0})
    operation: Operation | None = None


@dataclass(frozen=True, slots=True)
class LoopTime:
    """A `while`: its `runs` with all that they ran, and the iterations that they made all together; None if
    none of its operations was recorded.
    """

    operation: Operation
    lines: tuple[Line, ...]
    runs: int
    iterations: int | None
    seconds: float


class ProgramTimes:
    """Where the time of `runs`, all of one program, went; all sums are over all of them. `program` is its
    optimized HLO, None if that is not known, `own` the file of its function.
    """

    def __init__(
        self, runs: Sequence[ProgramRun], program: Program | None = None, own: str | None = None
    ) -> None:
        self._program = program or Program("hlo", [], [])
        self._is_known = program is not None and bool(program.blocks)
        self._own = own
        self._inner = dict(self._runs_others()) if self._is_known else inner_by_name(runs)
        self.runs = [settled(run, self._inner) for run in runs]

    @cached_property
    def operations(self) -> list[OperationTime]:
        """All that ran, the longest first."""
        seconds, executions = self._seconds, self._executions
        found = [self._time_of(name, seconds[name], executions[name]) for name in executions]
        return sorted(found, key=lambda one: -one.seconds)

    @cached_property
    def by_line(self) -> dict[Line | None, Spent]:
        """The seconds of all operations, divided among lines; None for no line. The longest first."""
        lines: defaultdict[Line | None, Spent] = defaultdict(Spent)
        for one in self.operations:
            for line, part in one.parts.items():
                lines[line].seconds += one.seconds * part
        if self._is_known:
            for line, flops, _, bytes_, _ in divided_by_line(self._cost, self._attribution, {}):
                lines[line].flops += flops
                lines[line].bytes += bytes_
        return dict(sorted(lines.items(), key=lambda item: -item[1].seconds))

    @cached_property
    def loops(self) -> list[LoopTime]:
        """Those that ran, the longest first."""
        loops = (one for one in self._operations.values() if one.opcode == "while")
        found = [self._loop(one) for one in loops if one.names[0] in self._executions]
        return sorted(found, key=lambda loop: -loop.seconds)

    @property
    def module(self) -> str:
        return self.runs[0].module

    @property
    def seconds(self) -> float:
        return sum(one.seconds for one in self.operations)

    def functions(self, time: OperationTime, line: Line | None) -> tuple[str, ...]:
        """The user's functions around one of the lines of an operation, the outermost first."""
        if time.operation is None or line is None:
            return ()
        inside = (one.operation for one in self._fused(time.operation))
        for one in (time.operation, *inside):
            frames = self._attribution.users_frames(one)
            if frames and Line(frames[0].file, frames[0].line) == line:
                return tuple(frame.function for frame in reversed(frames))
        return ()

    @cached_property
    def _attribution(self) -> Attribution:
        return attribute(self._program, self._own)

    @cached_property
    def _operations(self) -> dict[str, Operation]:
        return {one.names[0]: one for one in self._program.operations()}

    @cached_property
    def _executions(self) -> Counter[str]:
        return Counter(one.op for run in self.runs for one in run.executions)

    @cached_property
    def _seconds(self) -> dict[str, float]:
        """By operation, without what it runs."""
        total: defaultdict[str, float] = defaultdict(float)
        for run in self.runs:
            for one, own in zip(run.executions, self_seconds(run, self._inner), strict=True):
                total[one.op] += own
        return total

    def _runs_others(self) -> Iterator[tuple[str, list[str]]]:
        blocks = self._program.named()
        for one in self._operations.values():
            if one.opcode in _RUNS_OTHERS:
                called = (blocks[name] for name in one.calls if name in blocks)
                yield one.names[0], [inner.names[0] for block in called for inner in block.operations]

    @cached_property
    def _ran(self) -> dict[str, int]:
        return block_runs(self._program, self._executions, len(self.runs))

    @cached_property
    def _cost(self) -> ProgramCost:
        return program_cost(self._program, self._ran)

    @cached_property
    def _by_block(self) -> dict[str, list[InstructionCost]]:
        found: defaultdict[str, list[InstructionCost]] = defaultdict(list)
        for one in self._cost.instructions:
            found[one.block.name].append(one)
        return found

    @cached_property
    def _cost_of(self) -> dict[str, InstructionCost]:
        return {one.operation.names[0]: one for one in self._cost.instructions}

    def _time_of(self, name: str, seconds: float, executions: int) -> OperationTime:
        operation, cost = self._operations.get(name), self._cost_of.get(name) if self._is_known else None
        if operation is None:
            return OperationTime(seconds, name=name, runs=executions)
        fused = list(self._fused(operation))
        return OperationTime(
            seconds,
            flops=sum(one.flops for one in (fused if cost is None else [cost, *fused])),
            bytes=cost.bytes if cost else 0,
            name=name,
            runs=min(executions, cost.times) if cost and cost.times else executions,
            parts=self._parts(operation, fused),
            operation=operation,
        )

    def _fused(self, operation: Operation) -> Iterator[InstructionCost]:
        """The costs of the instructions of a fusion."""
        if operation.opcode != "fusion":
            return
        for name in operation.calls:
            for one in self._by_block.get(name, ()):
                yield one
                yield from self._fused(one.operation)

    def _parts(self, operation: Operation, fused: Sequence[InstructionCost]) -> dict[Line | None, float]:
        weights: defaultdict[Line | None, float] = defaultdict(float)
        for one in fused:
            lines = self._attribution.lines(one.operation) or (None,)
            for line in lines:
                weights[line] += (one.flops + one.transcendentals) / len(lines)
        total = sum(weights.values())
        if total:
            return {line: weight / total for line, weight in weights.items() if weight}
        lines = self._attribution.lines(operation) or (None,)
        return {line: 1 / len(lines) for line in lines}

    def _loop(self, loop: Operation) -> LoopTime:
        return LoopTime(
            loop,
            self._attribution.lines(loop),
            self._executions[loop.names[0]],
            self._ran.get(loop_parts(loop)["body"]),
            self._seconds_with_inner(loop.names[0]),
        )

    def _seconds_with_inner(self, name: str) -> float:
        executions = (one for run in self.runs for one in run.executions if one.op == name)
        return sum(one.seconds for one in executions)
