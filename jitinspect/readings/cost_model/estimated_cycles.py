"""The cycles that a TPU's compiler estimates for its instructions, which it notes only at its end.

They stand in `backend_config` of fusions and other instructions of the entry and of loops:
`"estimated_cycles":"1234"`, for one run (libtpu 0.0.42.1, 0.0.50.1). About half of the small instructions,
copies and transfers, carry none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from jitinspect.ir.program import Operation
from jitinspect.readings.cost_model.instruction_costs import InstructionCost

_CYCLES = re.compile(r'"estimated_cycles":"?(\d+)')
_NO_WORK = {"parameter", "constant", "tuple", "get-tuple-element", "bitcast", "after-all", "partition-id"}


@dataclass(frozen=True, slots=True)
class Estimate:
    """An instruction, and its cycles in all of its runs; None if the compiler notes none."""

    cost: InstructionCost
    cycles: int | None


def estimates(instructions: Iterable[InstructionCost]) -> list[Estimate]:
    """Those of the instructions that do some work; empty if the compiler estimates none at all."""
    found = list(_estimates(instructions))
    return found if any(one.cycles is not None for one in found) else []


def _estimates(instructions: Iterable[InstructionCost]) -> Iterator[Estimate]:
    for one in instructions:
        noted = _CYCLES.search(one.operation.rest)
        if noted:
            yield Estimate(one, int(noted[1]) * one.times)
        elif _works(one.operation) and one.bytes:  # within a fusion, bytes are the fusion's
            yield Estimate(one, None)


def _works(operation: Operation) -> bool:
    return operation.opcode not in _NO_WORK and not operation.opcode.endswith("-done")
