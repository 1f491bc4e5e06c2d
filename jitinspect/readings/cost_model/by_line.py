"""The costs of instructions, divided among the lines that made them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jitinspect.ir.attribution import Attribution, Line
from jitinspect.readings.cost_model.instruction_costs import InstructionCost

Share = tuple[Line | None, float, float, float]
"""A line (None for what no line made), and its FLOPs, transcendental operations and bytes."""


def divided_by_line(instructions: Iterable[InstructionCost], attribution: Attribution) -> Iterator[Share]:
    """What several lines made, such as a fusion, is divided evenly among them."""
    for one in instructions:
        lines = attribution.lines(one.operation) or (None,)
        count = len(lines)
        for line in lines:
            yield line, one.flops / count, one.transcendentals / count, one.bytes / count
