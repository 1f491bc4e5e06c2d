"""The costs of instructions, divided among the lines that made them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from jitinspect.ir.attribution import Attribution, Line, LinesOf
from jitinspect.readings.cost_model.instruction_costs import InstructionCost, Priced, ProgramCost

Share = tuple[Line | None, float, float, float, float]
"""A line (None for what no line made), its FLOPs, transcendental operations and bytes, and the bytes that it
sends to other devices.
"""
Asking = Mapping[str, Sequence[tuple[Line, float]]]
"""By name of a collective, the lines that asked for it, and the part of it that is for each; one that is not
there is divided evenly.
"""


def divided_by_line(cost: ProgramCost, attribution: Attribution, asking: Asking) -> Iterator[Share]:
    """What several lines made, such as a fusion, is divided evenly among them. Each line comes once at least,
    and again with what it sends.
    """
    sums: dict[Line | None, dict[int, list[int]]] = {}
    for prices, lines, count in _runs(cost, attribution):
        for price, made_by in zip(prices, lines, strict=True):
            among = made_by or (None,)
            for line in among:
                found = sums.setdefault(line, {}).setdefault(len(among), [0, 0, 0])
                for at, part in enumerate(price.work.parts):
                    found[at] += count * part
    for line, parts in sums.items():
        flops, transcendentals, bytes_ = (
            sum(found[at] / among for among, found in parts.items()) for at in range(3)
        )
        yield line, flops, transcendentals, bytes_, 0
    for line, sent in sent_by_line(cost.collectives, attribution, asking).items():
        yield line, 0, 0, 0, sent


def _runs(cost: ProgramCost, attribution: Attribution) -> Iterator[tuple[list[Priced], LinesOf, int]]:
    """The costs and the lines of the instructions of blocks that are alike and come from the same lines, and
    how often these run.
    """
    found: dict[tuple[int, int, int], tuple[list[Priced], LinesOf, int]] = {}
    for one in cost.running:
        for block in one.blocks:
            lines = attribution.of(block)
            key = id(one.prices), id(lines), one.times
            _, _, count = found.get(key, (None, None, 0))
            found[key] = one.prices, lines, count + one.times
    return iter(found.values())


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
