"""The costs of instructions, divided among the lines that made them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from jitinspect.ir.attribution import Attribution, Line
from jitinspect.readings.cost_model.instruction_costs import InstructionCost

Share = tuple[Line | None, float, float, float, float]
"""A line (None for what no line made), its FLOPs, transcendental operations and bytes, and the bytes that it
sends to other devices.
"""
Asking = Mapping[str, Sequence[tuple[Line, float]]]
"""By name of a collective, the lines that asked for it, and the part of it that is for each; one that is not
there is divided evenly.
"""


def divided_by_line(
    instructions: Sequence[InstructionCost], attribution: Attribution, asking: Asking
) -> Iterator[Share]:
    """What several lines made, such as a fusion, is divided evenly among them. Each line comes once at least,
    and again with all else of it that costs something.
    """
    seen: set[Line | None] = set()
    for line, one, count in with_lines(instructions, attribution):
        if one.bytes or one.flops or one.transcendentals or line not in seen:
            seen.add(line)
            yield line, one.flops / count, one.transcendentals / count, one.bytes / count, 0
    for line, sent in sent_by_line(instructions, attribution, asking).items():
        yield line, 0, 0, 0, sent


def with_lines(
    instructions: Iterable[InstructionCost], attribution: Attribution
) -> Iterator[tuple[Line | None, InstructionCost, int]]:
    """Each instruction with each of its lines, and how many lines made it."""
    for one in instructions:
        lines = attribution.lines(one.operation) or (None,)
        for line in lines:
            yield line, one, len(lines)


def sent_by_line(
    instructions: Iterable[InstructionCost], attribution: Attribution, asking: Asking
) -> dict[Line | None, float]:
    """What is sent to other devices, in bytes."""
    found: dict[Line | None, float] = {}
    sends = [one for one in instructions if one.wire_bytes]
    for line, one, count in with_lines(sends, attribution):
        if one.operation.names[0] not in asking:
            found[line] = found.get(line, 0) + (one.wire_bytes or 0) / count
    for one in sends:
        for asked, part in asking.get(one.operation.names[0], ()):
            found[asked] = found.get(asked, 0) + (one.wire_bytes or 0) * part
    return found
