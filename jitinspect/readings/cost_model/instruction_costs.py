"""The costs of a compiled program, instruction by instruction, each counted as often as it runs.

XLA's own analysis counts the body of a loop once (`compiled.cost_analysis()`; jax 0.10.2, 0.12.0.1). Here it
counts as often as the loop runs it, if that number is known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Literal, NamedTuple

from jitinspect.ir.hlo import loop_parts
from jitinspect.ir.program import Block, Operation, Program
from jitinspect.ir.trip_counts import TripCounts
from jitinspect.readings.communication.readable import readable_collectives
from jitinspect.readings.cost_model.flops import Instruction, arithmetic
from jitinspect.readings.cost_model.plain_hlo import inlined, operand_types, plain
from jitinspect.readings.cost_model.precisions import Numbers, numbers
from jitinspect.readings.cost_model.traffic import FusedComputation, Traffic, traffic
from jitinspect.readings.cost_model.unlike_xla import UnlikeXla, unlike_xla
from jitinspect.readings.cost_model.work import NONE, Work, total_work

_CALLS = ("fusion", "call", "async-start")
_CONTROL = ("while", "conditional")
_Way = Literal["runs", "once", "least", "most"]
"""How to add up: as often as it runs; each loop once and the most of all branches, as XLA does; or with the
least, or the most, of each quantity among branches.
"""


@dataclass(slots=True)
class InstructionCost:
    """An instruction; its costs are already multiplied by `times`, which is how often it runs. `bytes` is 0
    for instructions inside a fusion, whose traffic counts for the fusion itself. `hbm_bytes` are those of the
    device's main memory; `numbers` are what its FLOPs are made on. `wire_bytes` are what a collective sends
    to other devices; None for what is none, and where one only goes on, or ends.
    """

    operation: Operation
    block: Block
    times: int
    flops: int
    transcendentals: int
    bytes: int
    hbm_bytes: int = 0
    numbers: Numbers | None = None
    wire_bytes: int | None = None


class Priced(NamedTuple):
    """What one run of an instruction costs; nothing is known of the work of some custom calls."""

    work: Work
    hbm_bytes: int
    numbers: Numbers | None
    is_modelled: bool


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


class Running(NamedTuple):
    """Blocks that are alike but for names, which run equally often, and the costs of one run of each of their
    instructions.
    """

    blocks: list[Block]
    times: int
    prices: list[Priced]

    @property
    def total_times(self) -> int:
        """How often all of them run together."""
        return self.times * len(self.blocks)


@dataclass
class ProgramCost:
    """`running` are all blocks that run, including those of fusions, in the order of the first of those that
    are alike; what reducers and comparators cost counts for the instruction that applies them. `collectives`
    are the instructions that send something to other devices, or begin to.

    `once` counts the body of each loop once, as XLA does; `least` and `most` are the least and the most of
    each quantity, whichever branches are taken. `unmodelled` are the custom calls whose FLOPs are unknown,
    `unlike_xla` says what else is counted otherwise than by XLA.
    """

    running: list[Running]
    collectives: list[InstructionCost]
    loops: list[Loop]
    branchings: list[Branching]
    unmodelled: list[Operation]
    once: Work
    least: Work
    most: Work
    unlike_xla: UnlikeXla

    @cached_property
    def instructions(self) -> list[InstructionCost]:
        """All that run, in the order of the text."""
        sent = {id(one.operation): one.wire_bytes for one in self.collectives}
        blocks = ((block, one) for one in self.running for block in one.blocks)
        return [
            _instruction_cost(operation, block, one.times, price, sent.get(id(operation)))
            for block, one in sorted(blocks, key=lambda pair: pair[0].start)
            for operation, price in zip(block.operations, one.prices, strict=True)
        ]

    @cached_property
    def flops(self) -> int:
        return self._total.flops

    @cached_property
    def transcendentals(self) -> int:
        return self._total.transcendentals

    @cached_property
    def bytes(self) -> int:
        return self._total.bytes

    @cached_property
    def _total(self) -> Work:
        return total_work(
            [total_work([price.work for price in one.prices]) * one.total_times for one in self.running]
        )

    @cached_property
    def hbm_bytes(self) -> int:
        """`bytes` of the device's main memory: all of them on a CPU."""
        return sum(one.total_times * sum(price.hbm_bytes for price in one.prices) for one in self.running)

    @cached_property
    def wire_bytes(self) -> int:
        """What one device sends to others."""
        return sum(one.wire_bytes or 0 for one in self.collectives)

    @property
    def flops_once(self) -> int:
        return self.once.flops

    @property
    def transcendentals_once(self) -> int:
        return self.once.transcendentals

    @property
    def bytes_once(self) -> int:
        return self.once.bytes


def program_cost(program: Program, ran: Mapping[str, int] | None = None) -> ProgramCost:
    """For a conditional, the branch with the most FLOPs, then the most bytes, counts; the others run 0 times.
    The condition of a loop runs once more than its body. `ran` says of computations, by name, how often they
    really did.
    """
    return _Counting(program, ran or {}).costs()


def program_work(program: Program) -> Work:
    """The sum of all that `program_cost` tells of."""
    return _Counting(program, {}).work()


def _instruction_cost(
    operation: Operation, block: Block, times: int, one: Priced, sent: int | None
) -> InstructionCost:
    """`sent` is already multiplied."""
    total = one.work if times == 1 else one.work * times
    return InstructionCost(
        operation,
        block,
        times,
        total.flops,
        total.transcendentals,
        total.bytes,
        one.hbm_bytes * times,
        one.numbers,
        sent,
    )


class _Counting:
    """Adds up each computation's cost from its instructions; counts its runs from the entry down. What does
    not depend on names is worked out once for all computations that are alike.
    """

    def __init__(self, program: Program, ran: Mapping[str, int]) -> None:
        self._program = program
        self._ran = ran
        self._blocks = program.named()
        self._trips = TripCounts(program)
        self._is_fused = {
            called.name
            for block in program.blocks
            for at, called in block.reached(self._blocks)
            if _opcode(block.model.operations[at]) == "fusion"
        }
        self._controls: dict[str, list[Operation]] = {}
        for block, at in program.places(lambda one: one.opcode in _CONTROL):
            self._controls.setdefault(block.name, []).append(block.operations[at])
        self._own: dict[tuple[int, bool], list[Priced]] = {}
        self._sums: dict[tuple[int, bool], Work] = {}
        self._totals: dict[tuple[int, str], Work] = {}
        self._traffic: dict[int, Traffic] = {}

    def costs(self) -> ProgramCost:
        times = self._times()
        reached = [block for block in self._program.blocks if block.name in times]
        controls = [
            (one, times[block.name]) for block in reached for one in self._controls.get(block.name, ())
        ]
        entry = self._program.entry
        return ProgramCost(
            self._running(reached, times),
            list(self._collectives(times)),
            [self._loop(one, count) for one, count in controls if one.opcode == "while"],
            [self._branching(one, count) for one, count in controls if one.opcode == "conditional" and count],
            list(self._unmodelled(reached)),
            once=self._total(entry, "once"),
            least=self._total(entry, "least"),
            most=self._total(entry, "most"),
            unlike_xla=unlike_xla({id(block.model): block.model for block in reached}.values()),
        )

    def work(self) -> Work:
        times = self._times()
        return total_work(
            [self._sum(block) * times[block.name] for block in self._program.blocks if block.name in times]
        )

    def _running(self, reached: Iterable[Block], times: Mapping[str, int]) -> list[Running]:
        found: dict[tuple[int, int], Running] = {}
        for block in reached:
            prices, count = self._prices(block), times[block.name]
            found.setdefault((id(prices), count), Running([], count, prices)).blocks.append(block)
        return list(found.values())

    def _collectives(self, times: Mapping[str, int]) -> Iterator[InstructionCost]:
        """In the order of the text."""
        found = [one for one in readable_collectives(self._program) if one.block.name in times]
        for one in sorted(found, key=lambda one: one.operation.start):
            block, count = one.block, times[one.block.name]
            at = next(at for at, other in enumerate(block.operations) if other is one.operation)
            price, sent = self._prices(block)[at], one.wire_bytes * count
            yield _instruction_cost(one.operation, block, count, price, sent)

    def _unmodelled(self, reached: Iterable[Block]) -> Iterator[Operation]:
        for block in reached:
            for at, price in enumerate(self._prices(block)):
                if not price.is_modelled:
                    yield block.operations[at]

    def _loop(self, operation: Operation, times: int) -> Loop:
        body = self._blocks[loop_parts(operation)["body"]]
        return Loop(operation, self._trips[operation], times, self._total(body))

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
        inner: dict[int, list[Work]] = {}
        for at, work in self._inner(block):
            inner.setdefault(at, []).append(work)

        def price(at: int) -> tuple[int, int]:
            total = total_work([self._prices(block)[at].work, *inner.get(at, ())])
            return total.flops, total.bytes

        return block.operations[max(range(len(block.operations)), key=price)]

    def _times(self) -> Counter[str]:
        """How often each computation runs, by name. A computation is printed before those that call it."""
        times = Counter({self._program.entry.name: 1, **self._ran})
        for block in reversed(self._program.blocks):
            if block.name in times:
                for called, count in self._runs_of(block):
                    if called.name not in self._ran:
                        times[called.name] += times[block.name] * count
        return times

    def _runs_of(self, block: Block) -> Iterator[tuple[Block, int]]:
        """The computations that its instructions run, and how often; not those applied to elements."""
        yield from ((called, 1) for _, called in self._called(block))
        for operation in self._controls.get(block.name, ()):
            yield from self._runs(operation)

    def _called(self, block: Block) -> Iterator[tuple[int, Block]]:
        """The computations that each run of the block runs once, with the indices of what calls them."""
        operations = block.model.operations
        for at, called in block.reached(self._blocks):
            if _opcode(operations[at]) in _CALLS:
                yield at, called

    def _runs(self, control: Operation) -> list[tuple[Block, int]]:
        """The computations that a loop or a conditional runs, and how often."""
        if control.opcode == "while":
            trips = self._trips[control]
            parts = {part: self._blocks[name] for part, name in loop_parts(control).items()}
            return [
                (parts["condition"], 1 if trips is None else trips + 1),
                (parts["body"], 1 if trips is None else trips),
            ]
        called = [self._blocks[name] for name in control.calls if name in self._blocks]
        most_expensive = max(called, key=self._price)
        return [(block, int(block is most_expensive)) for block in called]

    def _price(self, block: Block) -> tuple[int, int]:
        total = self._total(block)
        return total.flops, total.bytes

    def _total(self, block: Block, way: _Way = "runs") -> Work:
        """What one run of the block costs, including all that it runs. How often a loop runs may depend on
        what is around it.
        """
        key = (id(block), way) if self._controls else (id(block.model), "runs")
        if key not in self._totals:
            inner = (work for _, work in self._inner(block, way))
            self._totals[key] = total_work((self._sum(block), *inner))
        return self._totals[key]

    def _inner(self, block: Block, way: _Way = "runs") -> Iterator[tuple[int, Work]]:
        """What is run inside of its instructions, with their indices."""
        for at, called in self._called(block):
            yield at, self._total(called, way)
        if block.name in self._controls:
            for at, operation in enumerate(block.operations):
                if operation.opcode in _CONTROL:
                    yield at, self._controlled(operation, way)

    def _sum(self, block: Block) -> Work:
        """What its instructions cost by themselves."""
        key = self._key(block)
        if key not in self._sums:
            self._sums[key] = total_work([one.work for one in self._prices(block)])
        return self._sums[key]

    def _key(self, block: Block) -> tuple[int, bool]:
        """What decides what its instructions cost."""
        return id(block.model), block.name in self._is_fused

    def _controlled(self, operation: Operation, way: _Way) -> Work:
        """What a loop or a conditional runs."""
        runs = self._runs(operation)
        if operation.opcode == "conditional" and way != "runs":
            branches = [self._total(block, way) for block, _ in runs]
            return reduce(Work.minimum if way == "least" else Work.maximum, branches)
        return total_work(
            [self._total(block, way) * (1 if way == "once" else count) for block, count in runs]
        )

    def _prices(self, block: Block) -> list[Priced]:
        """What each instruction of the block costs by itself."""
        key = self._key(block)
        if key not in self._own:
            operations, is_fused = block.model.operations, block.name in self._is_fused
            types = operand_types(operations)
            self._own[key] = [self._priced(one, types, is_fused) for one in operations]
        return self._own[key]

    def _priced(self, operation: Operation, types: dict[str, str], is_fused: bool) -> Priced:
        one = plain(operation)
        operands = tuple(types[name] for name in one.operands if name in types)
        instruction = Instruction(one, operands, self._applied(one))
        work = arithmetic(instruction)
        is_modelled, work = work is not None, work or NONE
        moved = Traffic() if is_fused else self._moved(one, operands)
        priced = Work(work.flops, work.transcendentals, moved.bytes)
        return Priced(priced, moved.main, numbers(instruction) if work.flops else None, is_modelled)

    def _moved(self, one: Operation, operands: tuple[str, ...]) -> Traffic:
        if one.opcode != "fusion":
            return traffic(one, operands, self._overwrites)
        key = id(self._blocks[one.calls[0]].model)
        if key not in self._traffic:
            self._traffic[key] = traffic(one, operands, self._overwrites, self._fusion(one))
        return self._traffic[key]

    def _applied(self, operation: Operation) -> tuple[Work, ...]:
        """The cost of one run of each computation it applies: a reducer, a comparator."""
        if not operation.calls or operation.opcode in _CALLS:
            return ()
        return tuple(self._total(self._blocks[name]) for name in operation.calls if name in self._blocks)

    def _fusion(self, operation: Operation) -> FusedComputation:
        block = self._blocks[operation.calls[0]].model
        root = self._program.root(block).names[0]
        return FusedComputation(inlined(block, self._blocks, self._program.root), root, self._overwrites)

    def _overwrites(self, scatter: Operation) -> bool:
        """Whether its computation returns the updates: the second half of its parameters."""
        block = self._blocks[scatter.calls[0]].model
        root, count = self._program.root(block), len(block.parameters) // 2
        returned = root.operands if root.opcode == "tuple" else root.names
        return returned == block.parameters[count:]


def _opcode(operation: Operation) -> str:
    """Without what says that it only starts: `fusion` for a `fusion-start`."""
    return plain(operation).opcode if operation.opcode.endswith("-start") else operation.opcode
