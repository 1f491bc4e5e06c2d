"""`cost`: what a call costs by line and by opcode, the memory it takes, and how these grow with sizes."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from itertools import groupby
from typing import Any, Literal, TypeVar, get_args

from jitinspect.errors import UnavailableError
from jitinspect.ir import shapes
from jitinspect.ir.attribution import Attribution, Line, attribute
from jitinspect.ir.hlo import device_count
from jitinspect.ir.program import Operation, Program
from jitinspect.ir.source_files import SourceFiles
from jitinspect.jaxapi.executables import memory as assigned
from jitinspect.model import Target
from jitinspect.model.communication import LinkSpeed
from jitinspect.model.readings import (
    Buffer,
    Cost,
    CostOfBranch,
    CostOfLine,
    CostOfLoop,
    CostOfOp,
    CostReport,
    CyclesOfInstruction,
    Growth,
    XlaCost,
)
from jitinspect.process import garbage_collection
from jitinspect.process.paths import relative
from jitinspect.readings.communication.subjects import asking
from jitinspect.readings.cost_model import power_law
from jitinspect.readings.cost_model.by_line import divided_by_line, sent_by_line, with_lines
from jitinspect.readings.cost_model.estimated_cycles import estimates
from jitinspect.readings.cost_model.instruction_costs import (
    Branching,
    Loop,
    ProgramCost,
    program_cost,
)
from jitinspect.readings.cost_model.roofline import Bound, Part, bound, roofline
from jitinspect.readings.cost_model.work import Work
from jitinspect.stages.inspection import Subject
from jitinspect.stages.parsing import program

Quantity = Literal["flops", "transcendentals", "bytes", "peak_bytes", "wire_bytes"]
Key = TypeVar("Key", bound=Hashable)


def read(target: Target, subjects: Iterator[Subject]) -> CostReport:
    """Compiles each subject. Raises `UnavailableError` if the compiled HLO is not available."""
    sources = SourceFiles()
    costs = tuple(_cost(target.file, subject, sources) for subject in subjects)
    report = CostReport("cost", replace(target, signature=costs[0].signature), costs[0])
    return replace(report, sweep=costs, growth=tuple(_growth(costs))) if len(costs) > 1 else report


def _cost(file: str | None, subject: Subject, sources: SourceFiles) -> Cost:
    compiled = subject.pipeline.compiled  # the user's code runs here, with the garbage collector on
    with garbage_collection.paused(), ThreadPoolExecutor(1) as beside:
        return _Reading(file, subject, sources, _Asked(compiled, beside)).cost()


def _growth(costs: tuple[Cost, ...]) -> Iterator[Growth]:
    for quantity in get_args(Quantity):
        values = [getattr(one, quantity) or 0 for one in costs]
        found = power_law.fit([one.dims for one in costs], values)
        for dim, exponent in found.exponents.items() if found else ():
            yield Growth(quantity, dim, exponent, found.error if found else 0.0)


class _Asked:
    """XLA's own answers about an executable: it works on them while the text is read, as it does not need
    Python for that.
    """

    def __init__(self, compiled: Any, beside: Executor) -> None:
        self._memory = beside.submit(assigned.analysis, compiled)
        self._modules = beside.submit(assigned.serialized_modules, compiled)
        self._costs = beside.submit(_cost_analysis, compiled)
        self.compiled = compiled

    @property
    def memory(self) -> dict[str, int]:
        """XLA's sums, by name."""
        return assigned.sums(self.compiled, self._memory.result())

    @property
    def allocations(self) -> list[assigned.Allocation]:
        return assigned.allocations(self.compiled, self._memory.result(), self._modules.result)

    def costs(self, peak: int | None) -> XlaCost:
        return _xla(self._costs.result(), peak)


class _Reading:
    """One call: its compiled program, and what is known about it."""

    def __init__(self, file: str | None, subject: Subject, sources: SourceFiles, asked: _Asked) -> None:
        self._asked = asked
        self._subject = subject
        self._program: Program = program("hlo", subject.pipeline)
        self._attribution: Attribution = attribute(self._program, file)
        self._sources = sources
        self._costs: ProgramCost = program_cost(self._program)
        self._asking = asking(subject, file) if self._costs.wire_bytes else {}
        self._estimates = estimates(self._costs.instructions) if subject.device else []

    def cost(self) -> Cost:
        costs, memory = self._costs, self._asked.memory
        buffers, no_buffers = self._buffers()
        found = Cost(
            flops=costs.flops,
            transcendentals=costs.transcendentals,
            bytes=costs.bytes,
            intensity=costs.flops / costs.bytes if costs.bytes else None,
            peak_bytes=assigned.peak(memory),
            once=_counts(costs.once),
            xla=self._asked.costs(memory.pop("peak", None)),
            memory=memory,
            by_line=tuple(self._by_line()),
            by_op=tuple(self._by_op()),
            loops=tuple(sorted(map(self._loop, costs.loops), key=lambda loop: -loop.share)),
            buffers=buffers,
            unmodelled=tuple(one.names[0] for one in costs.unmodelled),
            no_buffers=no_buffers,
            signature=self._subject.signature,
            dims=self._subject.dims,
            branches=tuple(branch for one in costs.branchings for branch in self._branches(one)),
            least=_counts(costs.least) if costs.branchings else {},
            most=_counts(costs.most) if costs.branchings else {},
            unlike_xla={"flops": costs.unlike_xla.flops, "bytes": costs.unlike_xla.bytes},
            devices=device_count(self._program),
            collectives=sum(one.times > 0 for one in costs.collectives),
            wire_bytes=costs.wire_bytes,
        )
        return self._bounded(found) if self._subject.device else found

    def _bounded(self, cost: Cost) -> Cost:
        """With the least time on the device that it was compiled for."""
        target = self._subject.device
        assert target is not None
        found = roofline(self._costs.instructions, target.device, target.text, target.links)
        return replace(
            cost,
            hbm_bytes=found.hbm_bytes,
            bound_seconds=found.bound_seconds,
            bound_by=found.bound_by,
            roofline=found,
            **self._cycles(),
        )

    def _cycles(self) -> dict[str, Any]:
        """What the compiler estimates, if it does."""
        known = sorted(self._estimates, key=lambda one: -(one.cycles or 0))
        if not known:
            return {}
        rows = (
            CyclesOfInstruction(
                one.cost.operation.names[0], one.cycles, one.cost.times, self._at(one.cost.operation)
            )
            for one in known
        )
        return {"cycles": sum(one.cycles or 0 for one in known), "by_instruction": tuple(rows)}

    def _by_line(self) -> list[CostOfLine]:
        """The most expensive first; what is divided among lines is rounded."""
        shares = divided_by_line(self._costs, self._attribution, self._asking)
        sums = _summed((line, parts) for line, *parts in shares)
        bounds = self._bounds_by_line()
        rows = [
            replace(self._of_line(line, *map(round, parts)), **bounds.get(line, {}))
            for line, parts in sums.items()
            if any(parts)
        ]
        return sorted(rows, key=lambda row: (-row.share, -row.bytes))

    def _bounds_by_line(self) -> dict[Line | None, dict[str, Any]]:
        """What the rows have beside, with a device."""
        target = self._subject.device
        if target is None:
            return {}
        parts: dict[Line | None, list[Part]] = {}
        for line, one, count in with_lines(self._costs.instructions, self._attribution):
            parts.setdefault(line, []).append((one, count))
        cycles = {id(one.cost): one.cycles or 0 for one in self._estimates}
        sent = self._links_seconds(target.links)
        nothing: list[Part] = []
        return {
            line: _bound_fields(bound(found, target.device, sent.get(line, 0.0)), found)
            | _cycles_of(found, cycles)
            for line, found in (dict.fromkeys(sent, nothing) | parts).items()
        }

    def _links_seconds(self, links: LinkSpeed | None) -> dict[Line | None, float]:
        """By line, if their speed is known."""
        sent = sent_by_line(self._costs.collectives, self._attribution, self._asking)
        return {line: bytes_ / links.bandwidth for line, bytes_ in sent.items()} if links else {}

    def _of_line(
        self, line: Line | None, flops: int, transcendentals: int, bytes_: int, sent: int
    ) -> CostOfLine:
        return CostOfLine(
            file=relative(line.file) if line else None,
            line=line.line if line else None,
            text=self._sources.text_of(line) if line else "",
            flops=flops,
            transcendentals=transcendentals,
            bytes=bytes_,
            share=self._share(flops, bytes_),
            wire_bytes=sent,
        )

    def _by_op(self) -> list[CostOfOp]:
        """The most expensive first, without those that cost nothing."""
        sums: dict[str, list[int]] = {}
        for one in self._costs.running:
            for operation, (work, *_) in zip(one.blocks[0].operations, one.prices, strict=True):
                found = sums.setdefault(operation.opcode, [0] * 6)
                parts = (1, one.times, *(one.times * part for part in work.parts))
                for at, part in enumerate(parts):
                    found[at] += part * len(one.blocks)
        for sent in self._costs.collectives:
            sums[sent.operation.opcode][5] += sent.wire_bytes or 0
        rows = [self._of_op(op, *parts) for op, parts in sums.items() if any(parts[2:])]
        return sorted(rows, key=lambda row: (-row.share, -row.bytes))

    def _of_op(
        self, op: str, count: int, runs: int, flops: int, transcendentals: int, bytes_: int, sent: int
    ) -> CostOfOp:
        return CostOfOp(op, count, runs, flops, transcendentals, bytes_, self._share(flops, bytes_), sent)

    def _loop(self, loop: Loop) -> CostOfLoop:
        total = loop.body * loop.iterations * loop.times
        share = self._share(total.flops, total.bytes)
        name, at = loop.operation.names[0], self._at(loop.operation)
        return CostOfLoop(name, at, loop.trip_count, loop.times, total.flops, total.bytes, share)

    def _branches(self, one: Branching) -> Iterator[CostOfBranch]:
        """The costliest first."""
        for index in sorted(range(len(one.branches)), key=lambda at: (at != one.counted, at)):
            work, at = one.branches[index], self._at(one.costliest[index])
            yield CostOfBranch(
                one.operation.names[0],
                index,
                len(one.branches),
                index == one.counted,
                one.times,
                work.flops,
                work.bytes,
                at or self._at(one.operation),
            )

    def _share(self, flops: int, bytes_: int) -> float:
        if self._costs.flops:
            return flops / self._costs.flops
        return bytes_ / self._costs.bytes if self._costs.bytes else 0.0

    def _at(self, operation: Operation) -> str | None:
        line = next(iter(self._attribution.lines(operation)), None)
        return relative(str(line)) if line else None

    def _buffers(self) -> tuple[tuple[Buffer, ...], str | None]:
        """The largest first, or why there are none."""
        try:
            allocations = self._asked.allocations
        except UnavailableError as error:
            return (), error.message
        made = self._made({value.instruction for one in allocations for value in one.values})
        buffers = [buffer for one in allocations for buffer in self._of_allocation(one, made)]
        return tuple(sorted(buffers, key=lambda buffer: -buffer.bytes)), None

    def _made(self, names: Collection[str | None]) -> dict[str, Operation]:
        """The instructions of these names: of a module's computations, the last ones have them all."""
        found: dict[str, Operation] = {}
        for block in reversed(self._program.blocks):
            found |= {one.names[0]: one for one in block.operations if one.names[0] in names}
            if len(found) >= len(names):
                break
        return found

    def _of_allocation(self, allocation: assigned.Allocation, made: dict[str, Operation]) -> Iterator[Buffer]:
        """Values that begin at the same offset take turns there."""
        for offset, group in groupby(sorted(allocation.values, key=_offset), _offset):
            values = list(group)
            largest = max(values, key=lambda value: value.bytes)
            operation = made.get(largest.instruction or "")
            yield Buffer(
                allocation.kind,
                largest.bytes,
                tuple(dict.fromkeys(value.instruction for value in values if value.instruction)),
                _type(operation, largest) if operation else None,
                self._at(operation) if operation else None,
                allocation.index,
                offset,
                _at_peak(values),
            )


def _bound_fields(found: Bound, parts: Iterable[Part]) -> dict[str, Any]:
    moved = round(sum(one.hbm_bytes / count for one, count in parts))
    return {"hbm_bytes": moved, "bound_seconds": found.seconds, "bound_by": found.by}


def _cycles_of(parts: Iterable[Part], cycles: Mapping[int, int]) -> dict[str, int]:
    """Those of a line; nothing if none were estimated at all."""
    if not cycles:
        return {}
    return {"cycles": round(sum(cycles.get(id(one), 0) / count for one, count in parts))}


def _at_peak(values: list[assigned.Value]) -> bool | None:
    known = [value.at_peak for value in values if value.at_peak is not None]
    return any(known) if known else None


def _offset(value: assigned.Value) -> int:
    return value.offset


def _type(operation: Operation, value: assigned.Value) -> str | None:
    """`f32[8,8]`; for a flat tuple, the type of the value's element."""
    arrays = shapes.arrays(operation.type)
    index = value.shape_index[0] if len(value.shape_index) == 1 else 0
    if len(arrays) <= index or (len(arrays) > 1 and len(value.shape_index) != 1):
        return None
    found = arrays[index]
    return f"{found.dtype}[{','.join(map(str, found.dims))}]" if found.bytes == value.bytes else None


def _counts(work: Work) -> dict[str, int]:
    return {"flops": work.flops, "transcendentals": work.transcendentals, "bytes": work.bytes}


def _summed(rows: Iterable[tuple[Key, Sequence[float]]]) -> dict[Key, Sequence[float]]:
    """The sum of each column, for each key."""
    sums: dict[Key, Sequence[float]] = {}
    for key, parts in rows:
        known = sums.get(key)
        sums[key] = parts if known is None else tuple(a + b for a, b in zip(known, parts, strict=True))
    return sums


def _cost_analysis(compiled: Any) -> Any:
    try:
        return compiled.cost_analysis()
    except (NotImplementedError, RuntimeError):
        return None


def _xla(analysis: Any, peak: int | None) -> XlaCost:
    """XLA gives -1 for what it does not know, and leaves out transcendentals if there are none."""
    if not isinstance(analysis, dict):
        return XlaCost(peak_bytes=peak)

    def given(key: str) -> int | None:
        value = analysis.get(key, 0)
        return int(value) if value >= 0 else None

    return XlaCost(given("flops"), given("transcendentals"), given("bytes accessed"), peak)
