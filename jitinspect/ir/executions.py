"""How often the blocks of an HLO module run, and whether only in a branch."""

from __future__ import annotations

from typing import NamedTuple

from jitinspect.ir.hlo import loop_parts, trip_count
from jitinspect.ir.program import Block, Operation, Program
from jitinspect.ir.trip_counts import TripCounts


class Executions(NamedTuple):
    """`counted` is how many; of a loop whose number of iterations is not known, one counts: then it is not
    `known`. Each branch of a conditional counts as taken; `in_branch` says that there is one around.
    """

    counted: int
    known: bool = True
    in_branch: bool = False


def needs_whole(program: Program) -> bool:
    """Whether a loop's number of iterations is to be found from the instructions around it."""
    return any(one.opcode == "while" and trip_count(one) is None for one in program.operations())


class BlockExecutions:
    """Those of each block of a program; of a part of one, if it has all that calls a block, and if not
    `needs_whole`.
    """

    def __init__(self, program: Program) -> None:
        self._trips = TripCounts(program)
        self._known: dict[str, Executions] = {program.entry.name: Executions(1)}
        self._callers: dict[str, list[tuple[Block, Operation]]] = {}
        for block in program.blocks:
            for operation in block.operations:
                for name in operation.calls:
                    self._callers.setdefault(name, []).append((block, operation))

    def __getitem__(self, block: Block) -> Executions:
        if block.name not in self._known:
            calls = [self._called(caller, by, block) for caller, by in self._callers.get(block.name, ())]
            self._known[block.name] = Executions(
                sum(one.counted for one in calls),
                all(one.known for one in calls),
                any(one.in_branch for one in calls),
            )
        return self._known[block.name]

    def _called(self, caller: Block, by: Operation, block: Block) -> Executions:
        outer = self[caller]
        if by.opcode == "conditional":
            return outer._replace(in_branch=True)
        if by.opcode != "while":
            return outer
        trips = self._trips[by]
        if trips is None:
            return outer._replace(known=False)
        once_more = loop_parts(by)["condition"] == block.name
        return outer._replace(counted=outer.counted * (trips + once_more))
