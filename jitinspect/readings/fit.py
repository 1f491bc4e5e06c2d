"""`fit`: whether a call fits into the memory of a device that need not be here, and what takes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import cycle
from typing import Any, Protocol

from jitinspect.errors import UnavailableError
from jitinspect.ir import out_of_memory, peak_memory, shapes
from jitinspect.ir.attribution import Attribution, attribute
from jitinspect.ir.buffer_assignment import DEVICE_MEMORY, Allocation, BufferAssignment, Live, Value, parse
from jitinspect.ir.executions import BlockExecutions
from jitinspect.ir.hlo import device_count
from jitinspect.ir.peak_memory import Held
from jitinspect.ir.program import Operation, Program
from jitinspect.jaxapi.executables import aliasing
from jitinspect.jaxapi.executables import memory as analysis
from jitinspect.jaxapi.executables.absent import outcome
from jitinspect.jaxapi.jits.leaf_names import names_in
from jitinspect.model import Target
from jitinspect.model.fit import Fit, FitReport, FitStep, LiveBuffer, Moment, Refusal, Rematerialized
from jitinspect.process.paths import relative
from jitinspect.readings.communication.readable import readable_collectives
from jitinspect.readings.largest_fit import Trial, largest_fit
from jitinspect.stages.inspection import Subject
from jitinspect.stages.parsing import program

_MEMORIES = {1: "VMEM", 2: "SMEM"}
"""What a TPU's memory spaces besides HBM are called; others are of a few bytes."""
_REMATERIALIZED = re.compile(r"\.remat\w*")
"""In the names of instructions (libtpu 0.0.42.1 and 0.0.50.1): `fusion.3.remat`, `copy.remat2`."""

_TAKEN = 0.75
"""The part of a GPU's memory that JAX takes, unless it is told otherwise ("GPU memory allocation" in JAX's
documentation, seen in November 2026).
"""

_CODE = 32 * 2**20
"""Machine code takes less: 1 to 10 MB were seen. The limit is known to a few MB as well."""

OnStep = Callable[[FitStep], None]


class Memory(Protocol):
    """The memory of one JAX device, in bytes. `usable` is what the compiler lets a program take; None if it
    never refuses one.
    """

    @property
    def memory(self) -> int: ...
    @property
    def usable(self) -> int | None: ...


class Device(Protocol):
    """What a target is: `text` is what the user calls it, `v5e:4x4`."""

    @property
    def text(self) -> str: ...
    @property
    def device(self) -> Memory: ...


def read(
    target: Target,
    subjects: Iterator[Subject],
    devices: Sequence[Device],
    ranges: Mapping[str, range] | None = None,
    full: bool = False,
    on_step: OnStep | None = None,
) -> FitReport:
    """Compiles each subject for its device: they come in the order of `devices`, over and over.

    They are compiled for devices that are not here, and may have been refused (`jaxapi.executables.absent`).
    `full` says that the compiler went to its end.

    `ranges` has at most one dimension, whose largest size is searched for each subject; `on_step` is called
    with each size that was tried. Raises what the pipelines raise.
    """
    fits = []
    for subject, device in zip(subjects, cycle(devices), strict=False):
        reading = _Reading(target.file, device, full)
        found = [reading.largest(subject, *item, on_step) for item in (ranges or {}).items()]
        fits.append(found[0] if found else reading.fit(subject))
    return FitReport("fit", replace(target, signature=fits[0].signature if fits else ""), tuple(fits))


def read_compiled(target: Target, subjects: Iterator[Subject], devices: Sequence[Device]) -> FitReport:
    """Whether what was compiled earlier, for whatever device, fits on each of the `devices`.

    Raises `UnavailableError` if it does not tell what memory it takes, and when.
    """
    (subject,) = subjects
    if not outcome(subject.pipeline.compiled).assignment:
        raise UnavailableError(
            f"{target.ref} does not tell when its buffers are in use",
            hint="fit reads a folder of XLA's dumps: XLA_FLAGS=--xla_dump_to=DIR",
        )
    fits = (_Reading(target.file, one, False).fit(subject) for one in devices)
    found = tuple(replace(fit, as_compiled=True, certain=True) for fit in fits)
    return FitReport("fit", replace(target, signature=subject.signature), found)


class _Reading:
    """How calls fit on one device; `file` is the target's."""

    def __init__(self, file: str | None, device: Device, full: bool) -> None:
        self._file = file
        self._target = device.text
        self._refuses = device.device.usable is not None
        self._limit = device.device.usable or device.device.memory
        self._full = full

    def largest(self, subject: Subject, dim: str, sizes: range, on_step: OnStep | None) -> Fit:
        """The fit of the largest size, with all sizes that were tried."""
        fits: dict[int, Fit] = {}

        def measure(size: int) -> Trial:
            fits[size] = self.fit(subject.resized({dim: size}))
            if on_step:
                on_step(_step(size, fits[size]))
            return Trial(fits[size].fits, fits[size].needed_bytes, self._limit)

        found = largest_fit(sizes, measure)
        return replace(
            fits[sizes.start if found.largest is None else found.largest],
            searched=dim,
            largest=None if found.largest is None else {dim: found.largest},
            refused_size=found.refused,
            steps=tuple(_step(size, fit) for size, fit in fits.items()),
        )

    def fit(self, subject: Subject) -> Fit:
        known = outcome(subject.pipeline.compiled)
        refusal = _refusal(known.refused)
        fit = Fit(
            target=self._target,
            fits=refusal is None,
            limit_bytes=self._limit,
            peak_bytes=None,
            argument_bytes=None,
            output_bytes=None,
            temporary_bytes=None,
            full=self._full,
            taken_bytes=None if self._refuses else int(self._limit * _TAKEN),
            buffers=(),
            needed_bytes=refusal.needed_bytes if refusal and refusal.memory == "HBM" else None,
            refusal=refusal,
            signature=subject.signature,
            dims=subject.dims,
        )
        try:
            assignment = parse(known.assignment, known.live_ranges)
        except ValueError:
            return replace(fit, unknown="the compiler did not say where it puts what")
        return self._weighed(self._with(fit, assignment, subject), assignment)

    def _with(self, fit: Fit, assignment: BufferAssignment, subject: Subject) -> Fit:
        """What takes the memory, and when."""
        compiled, peak = subject.pipeline.compiled, peak_memory.peak(assignment)
        known = _Names(subject, self._file)
        xla = analysis.sums(compiled) if self._full and fit.refusal is None else {}
        buffers = (known.buffer(held) for held in peak_memory.held(assignment, peak.step))
        return replace(
            fit,
            peak_bytes=peak.bytes,
            buffers=tuple(sorted(buffers, key=lambda one: -one.bytes)),
            moment=known.moment(assignment.schedule, peak.step),
            rematerialized=tuple(known.rematerialized(assignment)),
            code_bytes=xla.get("generated_code"),
            xla=xla,
            **_sent(known.program),
        )

    def _weighed(self, fit: Fit, assignment: BufferAssignment) -> Fit:
        """The sums, and whether they are within the limit. A compiler that can refuse has the last word."""
        sums = peak_memory.sums(assignment)
        needed = sums["total"] + (fit.code_bytes or 0)
        fits = fit.fits and ((self._full and self._refuses) or needed <= self._limit)
        left = self._limit - needed
        is_decided = self._full or not self._refuses or fit.refusal is not None
        return replace(
            fit,
            fits=fits,
            certain=is_decided or abs(left) >= _CODE,
            needed_bytes=needed,
            left_bytes=max(left, 0) if fits else left,
            unused_bytes=sums["total"] - (fit.peak_bytes or 0),
            argument_bytes=sums["argument"],
            output_bytes=sums["output"],
            aliased_bytes=sums["alias"],
            constant_bytes=sums["constant"],
            temporary_bytes=sums["temp"],
            elsewhere=dict(_elsewhere(assignment)),
        )


def _step(size: int, fit: Fit) -> FitStep:
    return FitStep(size, fit.fits, fit.needed_bytes, fit.limit_bytes, fit.certain)


def _refusal(message: str | None) -> Refusal | None:
    if message is None:
        return None
    first = message.strip().split("\n")[0]
    figures = out_of_memory.parse(message)
    return Refusal(first, figures.needed, figures.limit, figures.memory) if figures else Refusal(first)


def _elsewhere(assignment: BufferAssignment) -> Iterator[tuple[str, int]]:
    spaces = sorted({one.space for one in assignment.allocations} - {DEVICE_MEMORY})
    for space in spaces:
        if total := peak_memory.sums(assignment, space)["total"]:
            yield _MEMORIES.get(space, f"memory space {space}"), total


class _Names:
    """What the user calls the instructions and the arguments of one compiled call."""

    def __init__(self, subject: Subject, file: str | None) -> None:
        self._subject = subject
        self._file = file

    def buffer(self, held: Held) -> LiveBuffer:
        lines = (self._line(value.instruction) for value in held.values)
        kind = held.allocation.kind
        assert kind != "thread-local", "they are no part of a peak"
        return LiveBuffer(
            held.bytes,
            _type(held.values[0]),
            next(filter(None, lines), None),
            self._path(held.allocation),
            _live(held.values if held.is_alive else held.values[:1]),
            kind,
            held.values[0].instruction,
            held.is_alive,
            len(held.values) if held.is_alive else 1,
        )

    def moment(self, schedule: Sequence[str], step: int) -> Moment | None:
        if not schedule:
            return None
        return Moment(step, len(schedule), schedule[step], self._line(schedule[step]))

    def rematerialized(self, assignment: BufferAssignment) -> Iterator[Rematerialized]:
        """The largest first. Of each instruction all results count, wherever they are."""
        sizes = dict.fromkeys(filter(_REMATERIALIZED.search, assignment.schedule), 0)
        for value in (value for one in assignment.allocations for value in one.values):
            if value.instruction in sizes:
                sizes[value.instruction] += value.bytes
        by_line: dict[str | None, list[str]] = {}
        for name in sizes:
            by_line.setdefault(self._line(name), []).append(name)
        rows = (
            Rematerialized(line, tuple(of), sum(sizes[name] for name in of)) for line, of in by_line.items()
        )
        yield from sorted(rows, key=lambda row: -row.bytes)

    @cached_property
    def program(self) -> Program | None:
        try:
            return program("hlo", self._subject.pipeline)
        except UnavailableError:
            return None

    @cached_property
    def _attribution(self) -> Attribution | None:
        return attribute(self.program, self._file) if self.program else None

    @cached_property
    def _made(self) -> dict[str, Operation]:
        return {one.names[0]: one for one in self.program.operations()} if self.program else {}

    @cached_property
    def _callers(self) -> dict[str, Operation]:
        """By name of a parameter of a computation, such as the state of a loop inside it."""
        if self.program is None:
            return {}
        blocks, made = self.program.named(), self._made.values()
        called = ((blocks[name], one) for one in made for name in one.calls if name in blocks)
        return {
            inner.names[0]: one
            for block, one in called
            for inner in block.operations
            if inner.opcode == "parameter"
        }

    def _line(self, instruction: str) -> str | None:
        operation = self._callers.get(instruction) or self._made.get(instruction)
        lines = self._attribution.lines(operation) if self._attribution and operation else ()
        return relative(str(lines[0])) if lines else None

    def _path(self, allocation: Allocation) -> str | None:
        """Several arguments may be one parameter, a tuple."""
        if allocation.parameter is None:
            return None
        number = allocation.shape_index[0] if allocation.shape_index else allocation.parameter
        return self._paths.get(number)

    @cached_property
    def _paths(self) -> Mapping[int, str]:
        """By number of the module's parameter; empty if JAX does not tell."""
        pipeline: Any = self._subject.pipeline
        if not pipeline.has_lowered:  # nor are arguments dropped, of which a file knows nothing
            return dict(enumerate(names_in(self._subject.jitted.call, self._subject.call, pipeline.traced)))
        try:
            leaves = aliasing.leaves_of_parameters(pipeline.lowered)
        except UnavailableError:
            return {}
        names = names_in(self._subject.jitted.call, self._subject.call, pipeline.traced)
        return {number: names[leaf] for number, leaf in leaves.items() if leaf < len(names)}


def _sent(program: Program | None) -> dict[str, Any]:
    """What is sent between how many devices; nothing if it is not known."""
    if program is None:
        return {}
    found, executions = readable_collectives(program), BlockExecutions(program)
    return {
        "devices": device_count(program),
        "collectives": len(found),
        "wire_bytes": sum(one.wire_bytes * executions[one.block].counted for one in found),
    }


def _type(value: Value) -> str:
    """`f32[8,8]`, without the layout; a tuple has the types of its elements."""
    arrays = [f"{one.dtype}[{','.join(map(str, one.dims))}]" for one in shapes.arrays(value.type)]
    return f"({', '.join(arrays)})" if value.type.startswith("(") else "".join(arrays)


def _live(values: Iterable[Value]) -> tuple[int, int] | None:
    lives: list[Live] = [value.live for value in values if value.live]
    return (min(one.first for one in lives), max(one.last for one in lives)) if lives else None
