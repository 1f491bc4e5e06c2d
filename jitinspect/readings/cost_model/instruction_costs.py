"""The costs of a compiled program, instruction by instruction, each counted as often as it runs.

XLA's own analysis counts the body of a loop once (`compiled.cost_analysis()`; jax 0.10.2, 0.12.0.1). Here it
counts as often as the loop runs it, if XLA found that number and noted it (`known_trip_count`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Literal

from jitinspect.ir.hlo import trip_count
from jitinspect.ir.program import Block, Operation, Program
from jitinspect.readings.cost_model.flops import Instruction, arithmetic
from jitinspect.readings.cost_model.traffic import FusedComputation, traffic
from jitinspect.readings.cost_model.unlike_xla import UnlikeXla, unlike_xla
from jitinspect.readings.cost_model.work import NONE, Work, total_work

_PART = re.compile(r"\b(body|condition)=%?([\w.\-]+)")
_CALLS = ("fusion", "call", "async-start")
_Way = Literal["runs", "once", "least", "most"]
"""How to add up: as often as it runs; each loop once and the most of all branches, as XLA does; or with the
least, or the most, of each quantity among branches.
"""


@dataclass(slots=True)
class InstructionCost:
    """An instruction; its costs are already multiplied by `times`, which is how often it runs. `bytes` is 0
    for instructions inside a fusion, whose traffic counts for the fusion itself.
    """

    operation: Operation
    block: Block
    times: int
    flops: int
    transcendentals: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Loop:
    """A `while`. `trip_count` is None if XLA does not know it: then its body counts once. `times` is how
    often the loop itself runs, `body` what one iteration costs.
    """

    operation: Operation
    trip_count: int | None
    times: int
    body: Work

    @property
    def iterations(self) -> int:
        """How many iterations are counted."""
        return 1 if self.trip_count is None else self.trip_count


@dataclass(frozen=True, slots=True)
class Branching:
    """A `conditional`. `times` is how often it runs, `branches` what one run of each of its branches costs,
    `counted` the index of the one that counts; `costliest` has the most expensive instruction of each.
    """

    operation: Operation
    times: int
    branches: tuple[Work, ...]
    counted: int
    costliest: tuple[Operation, ...]


@dataclass(slots=True)
class ProgramCost:
    """`instructions` are all that run, including those in fusions; what reducers and comparators cost counts
    for the instruction that applies them. `once` counts the body of each loop once, as XLA does; `least` and
    `most` are the least and the most of each quantity, whichever branches are taken. `unmodelled` are the
    custom calls whose FLOPs are unknown, `unlike_xla` says what else is counted otherwise than by XLA.
    """

    instructions: list[InstructionCost]
    loops: list[Loop]
    branchings: list[Branching]
    unmodelled: list[Operation]
    once: Work
    least: Work
    most: Work
    unlike_xla: UnlikeXla

    @property
    def flops(self) -> int:
        return sum(one.flops for one in self.instructions)

    @property
    def transcendentals(self) -> int:
        return sum(one.transcendentals for one in self.instructions)

    @property
    def bytes(self) -> int:
        return sum(one.bytes for one in self.instructions)

    @property
    def flops_once(self) -> int:
        return self.once.flops

    @property
    def transcendentals_once(self) -> int:
        return self.once.transcendentals

    @property
    def bytes_once(self) -> int:
        return self.once.bytes


def program_cost(program: Program) -> ProgramCost:
    """For a conditional, the branch with the most FLOPs, then the most bytes, counts; the others run 0 times.
    The condition of a loop runs once more than its body.
    """
    return _Counting(program).costs()


class _Counting:
    """Adds up each computation's cost from its instructions; counts its runs from the entry down."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._blocks = program.named()
        called = (name for one in program.operations() if one.opcode == "fusion" for name in one.calls)
        self._fused = set(called)
        self._unmodelled: dict[int, Operation] = {}
        self._own: dict[str, list[Work]] = {}
        self._totals: dict[tuple[str, _Way], Work] = {}

    def costs(self) -> ProgramCost:
        times = self._times()
        reached = [block for block in self._program.blocks if block.name in times]
        instructions = [one for block in reached for one in self._instruction_costs(block, times[block.name])]
        operations = [(one, times[block.name]) for block in reached for one in block.operations]
        entry = self._program.entry
        return ProgramCost(
            instructions,
            [self._loop(one, count) for one, count in operations if one.opcode == "while"],
            [
                self._branching(one, count)
                for one, count in operations
                if one.opcode == "conditional" and count
            ],
            [one for one, _ in operations if id(one) in self._unmodelled],
            once=self._total(entry, "once"),
            least=self._total(entry, "least"),
            most=self._total(entry, "most"),
            unlike_xla=unlike_xla(reached),
        )

    def _instruction_costs(self, block: Block, times: int) -> Iterator[InstructionCost]:
        for operation, work in zip(block.operations, self._works(block), strict=True):
            total = work * times
            yield InstructionCost(operation, block, times, total.flops, total.transcendentals, total.bytes)

    def _loop(self, operation: Operation, times: int) -> Loop:
        body = self._blocks[dict(_PART.findall(operation.rest))["body"]]
        return Loop(operation, trip_count(operation), times, self._total(body))

    def _branching(self, operation: Operation, times: int) -> Branching:
        runs = self._runs(operation)
        return Branching(
            operation,
            times,
            tuple(self._total(block) for block, _ in runs),
            next(at for at, (_, count) in enumerate(runs) if count),
            tuple(self._costliest(block) for block, _ in runs),
        )

    def _costliest(self, block: Block) -> Operation:
        def price(at: int) -> tuple[int, int]:
            operation = block.operations[at]
            total = total_work(
                [self._works(block)[at], *([self._inner(operation)] if operation.calls else [])]
            )
            return total.flops, total.bytes

        return block.operations[max(range(len(block.operations)), key=price)]

    def _times(self) -> Counter[str]:
        """How often each computation runs, by name. A computation is printed before those that call it."""
        times = Counter({self._program.entry.name: 1})
        for block in reversed(self._program.blocks):
            for operation in block.operations if block.name in times else ():
                for called, count in self._runs(operation):
                    times[called.name] += times[block.name] * count
        return times

    def _runs(self, operation: Operation) -> list[tuple[Block, int]]:
        """The computations that an instruction runs, and how often; not those applied to elements."""
        if operation.opcode == "while":
            trips = trip_count(operation)
            parts = {part: self._blocks[name] for part, name in _PART.findall(operation.rest)}
            return [
                (parts["condition"], 1 if trips is None else trips + 1),
                (parts["body"], 1 if trips is None else trips),
            ]
        called = [self._blocks[name] for name in operation.calls if name in self._blocks]
        if operation.opcode == "conditional":
            most_expensive = max(called, key=self._price)
            return [(block, int(block is most_expensive)) for block in called]
        return [(block, 1) for block in called] if operation.opcode in _CALLS else []

    def _price(self, block: Block) -> tuple[int, int]:
        total = self._total(block)
        return total.flops, total.bytes

    def _total(self, block: Block, way: _Way = "runs") -> Work:
        """What one run of the block costs, including all that it runs."""
        key = block.name, way
        if key not in self._totals:
            inner = (self._inner(operation, way) for operation in block.operations if operation.calls)
            self._totals[key] = total_work((*self._works(block), *inner))
        return self._totals[key]

    def _inner(self, operation: Operation, way: _Way = "runs") -> Work:
        runs = self._runs(operation)
        if operation.opcode == "conditional" and way != "runs":
            branches = [self._total(block, way) for block, _ in runs]
            return reduce(Work.minimum if way == "least" else Work.maximum, branches)
        return total_work(
            [self._total(block, way) * (1 if way == "once" else count) for block, count in runs]
        )

    def _works(self, block: Block) -> list[Work]:
        """What each instruction of the block costs by itself."""
        if block.name not in self._own:
            types = {one.names[0]: one.type for one in block.operations}
            is_fused = block.name in self._fused
            self._own[block.name] = [self._work(one, types, is_fused) for one in block.operations]
        return self._own[block.name]

    def _work(self, operation: Operation, types: dict[str, str], is_fused: bool) -> Work:
        operands = tuple(types[name] for name in operation.operands if name in types)
        work = arithmetic(Instruction(operation, operands, self._applied(operation)))
        if work is None:
            self._unmodelled[id(operation)] = operation
            work = NONE
        moved = 0 if is_fused else traffic(operation, operands, self._overwrites, self._fusion(operation))
        return Work(work.flops, work.transcendentals, moved)

    def _applied(self, operation: Operation) -> tuple[Work, ...]:
        """The cost of one run of each computation it applies: a reducer, a comparator."""
        if not operation.calls:
            return ()
        return tuple(self._total(self._blocks[name]) for name in operation.calls if name in self._blocks)

    def _fusion(self, operation: Operation) -> FusedComputation | None:
        if operation.opcode != "fusion":
            return None
        block = self._blocks[operation.calls[0]]
        return FusedComputation(block, self._program.root(block), self._overwrites)

    def _overwrites(self, scatter: Operation) -> bool:
        """Whether its computation returns the updates: the second half of its parameters."""
        block = self._blocks[scatter.calls[0]]
        root, count = self._program.root(block), len(block.parameters) // 2
        returned = root.operands if root.opcode == "tuple" else root.names
        return returned == block.parameters[count:]
