"""What lines cost: those of HLO, where a fusion has the costs of all that is in it, and those of Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from jitinspect.ir.attribution import Attribution, Line
from jitinspect.ir.hlo import module_name
from jitinspect.ir.program import Operation, Program
from jitinspect.model.explorations import LineCost
from jitinspect.process.paths import relative
from jitinspect.readings.cost_model.by_line import divided_by_line
from jitinspect.readings.cost_model.instruction_costs import ProgramCost


@dataclass(slots=True)
class Spent:
    """On one line. `seconds` are None where nothing was measured."""

    flops: float = 0
    bytes: float = 0
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of a call, by the names of a module and of an instruction, and by line as reports show it."""

    by_op: Mapping[tuple[str, str], float]
    by_line: Mapping[str, float]


NOTHING_MEASURED = Measured({}, {})


def of_instructions(program: Program, cost: ProgramCost, measured: Measured) -> list[LineCost]:
    """In the order of lines, of those that cost anything."""
    fusions = _fusions(program)
    flops: Counter[int] = Counter()
    moved: Counter[int] = Counter()
    for one in cost.instructions:
        line = _outermost(one.operation, one.block.name, fusions).start
        flops[line] += one.flops
        moved[line] += one.bytes
    module = module_name(program)
    names = {one.start: (module, one.names[0]) for one in program.operations()} if measured.by_op else {}
    seconds = {line: measured.by_op[name] for line, name in names.items() if name in measured.by_op}
    lines = sorted(line for line in {*flops, *seconds} if flops[line] or moved[line] or seconds.get(line))
    return [LineCost(line, flops[line], moved[line], seconds.get(line)) for line in lines]


def of_lines(attribution: Attribution, cost: ProgramCost, measured: Measured) -> dict[Line, Spent]:
    """As `source` divides them among lines."""
    lines: defaultdict[Line, Spent] = defaultdict(Spent)
    for line, flops, _, bytes_, _ in divided_by_line(cost, attribution, {}):
        if line is not None and (flops or bytes_):
            lines[line].flops += flops
            lines[line].bytes += bytes_
    for line, spent in lines.items():
        spent.seconds = measured.by_line.get(relative(str(line)))
    return lines


def _fusions(program: Program) -> dict[str, tuple[Operation, str]]:
    """By the computation that a fusion runs, which no other instruction does: it, and the block it is in."""
    return {
        name: (one, block.name)
        for block in program.blocks
        for one in block.operations
        if one.opcode == "fusion"
        for name in one.calls
    }


def _outermost(operation: Operation, block: str, fusions: Mapping[str, tuple[Operation, str]]) -> Operation:
    """The fusion that the instruction is in, or itself."""
    while block in fusions:
        operation, block = fusions[block]
    return operation
