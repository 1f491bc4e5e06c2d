"""The memory that an executable takes: XLA's sums, and the buffers that it assigned, with their contents.

`memory_analysis()` has XLA's buffer assignment as a serialized message, `xla.BufferAssignmentProto`, which
refers to instructions by ids; their names are in the serialized module. Both are read by field numbers,
because jaxlib comes without a schema. Seen on jaxlib 0.8.3, 0.9.2, 0.10.2, 0.11.2 and 0.12.0, where the
texts that `xla_dump_to` writes (`*-buffer-assignment.txt`) say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from jitinspect.errors import UnavailableError
from jitinspect.ir import buffer_assignment, peak_memory
from jitinspect.ir.wire_format import fields, first_places, number_at, packed_numbers, repeated, spans

Kind = Literal["argument", "output", "constant", "temp"]
TEXTS = "buffer_assignment_texts"
"""What stands for the message where XLA was stopped: the two texts of `ir.buffer_assignment.parse`."""
_NO_BUFFERS = "this JAX or backend does not report its buffer assignment"
_SUMS = {
    **{name: f"{name}_size_in_bytes" for name in ("argument", "output", "temp", "alias", "generated_code")},
    "peak": "peak_memory_in_bytes",
}


@dataclass(frozen=True, slots=True)
class Value:
    """An instruction's result, or the part of it at `shape_index`, and its place in its allocation.

    `instruction` is None if its name is not known. `at_peak` is True for values that are live when most of
    the allocation is in use; None if XLA does not tell (0.8, 0.9).
    """

    instruction: str | None
    shape_index: tuple[int, ...]
    bytes: int
    offset: int
    at_peak: bool | None


@dataclass(frozen=True, slots=True)
class Allocation:
    """A piece of memory, and the values that live in it, one after the other or side by side."""

    index: int
    bytes: int
    kind: Kind
    values: tuple[Value, ...]


def sums(compiled: Any, stats: Any = None) -> dict[str, int]:
    """XLA's own sums, in bytes: those of `argument`, `output`, `temp`, `alias`, `generated_code` and `peak`
    that it gives. `stats` is the `analysis`, if that was made before.
    """
    stats = analysis(compiled) if stats is None else stats
    found = ((name, getattr(stats, attribute, None)) for name, attribute in _SUMS.items())
    return {name: int(value) for name, value in found if value is not None}


def sums_of(message: bytes) -> dict[str, int]:
    """The `sums` that follow from a serialized buffer assignment. Raises `ValueError` for other bytes.

    What is donated and reused is in three of them, as in XLA's (jaxlib 0.8.3 to 0.12.0).
    """
    found = dict.fromkeys(("argument", "output", "temp", "alias", "generated_code"), 0)
    for allocation in map(dict, map(fields, repeated(message, 3))):
        size, kind = allocation.get(2, 0), _kind(allocation)
        if allocation.get(3) or kind == "constant":
            continue
        is_reused = kind == "argument" and allocation.get(7)
        for name in (kind, *(("output", "alias") if is_reused else ())):
            found[name] += size
    return found


def peak(memory: Mapping[str, int]) -> int | None:
    """The peak memory, from the `sums`; None if the backend does not give them.

    XLA's own peak omits temporaries on CPUs (jaxlib 0.10.2, 0.12.0), where they are one allocation that
    exists during the whole run.
    """
    if not {"argument", "output", "temp"} <= memory.keys():
        return None
    return memory["argument"] + memory["output"] + memory["temp"] - memory.get("alias", 0)


def allocations(
    compiled: Any, stats: Any = None, modules: Callable[[], Sequence[bytes]] | None = None
) -> list[Allocation]:
    """All allocations except thread-local ones, of a few bytes each. `stats` is the `analysis`, and `modules`
    gives the `serialized_modules`, if they were made before.

    Raises `UnavailableError` if the assignment is not available, or has an unknown form.
    """
    stats = analysis(compiled) if stats is None else stats
    message = getattr(stats, "serialized_buffer_assignment_proto", None)
    if not message and (texts := getattr(stats, TEXTS, None)):
        return list(_of_texts(*texts))
    if not message:
        raise UnavailableError(getattr(compiled, "no_buffers", _NO_BUFFERS))
    try:
        return list(_allocations(message, modules or partial(serialized_modules, compiled)))
    except (ValueError, IndexError, KeyError, TypeError):
        raise UnavailableError("XLA's buffer assignment has an unknown form") from None


def _of_texts(assignment: str, live_ranges: str) -> Iterator[Allocation]:
    """Those of the device's own memory, from a dump of a compilation that did not run to its end."""
    found = buffer_assignment.parse(assignment, live_ranges)
    step = peak_memory.peak(found).step
    for one in found.in_space(buffer_assignment.DEVICE_MEMORY):
        if one.kind != "thread-local":
            values = tuple(
                Value(at.instruction, at.shape_index, at.bytes, at.offset, at.is_alive_at(step))
                for at in one.values
            )
            yield Allocation(one.index, one.bytes, one.kind, values)


def analysis(compiled: Any) -> Any:
    """What `sums` and `allocations` are read from. XLA works on it anew each time that it is asked. None on
    backends that do not implement it.
    """
    try:
        return compiled.memory_analysis()
    except (NotImplementedError, RuntimeError):
        return None


def _names(modules: Iterable[bytes], wanted: Collection[int]) -> dict[int, str]:
    """Id → name of instructions. Ids are unique in a module; the upper half is the computation's id: most
    computations are inside of fusions, and have none of those that are wanted.
    """
    names: dict[int, str] = {}
    computations = {_computation(number) for number in wanted}
    for module in modules:
        for computation in repeated(module, 3):
            for begin, end in spans(computation, 2):
                number = number_at(computation, begin, end, 35)
                if _computation(number) not in computations:
                    break
                if number in wanted:
                    names[number] = _name(computation, begin, end)
    return names


def _computation(instruction: int) -> int:
    return instruction >> 32


def _name(message: bytes, begin: int, end: int) -> str:
    """That of the instruction there, which comes first."""
    at, to = first_places(message, begin, end, 1)[1]
    return message[at:to].decode()


def serialized_modules(compiled: Any) -> list[bytes]:
    """`HloModuleProto`s; empty if the executable does not give them."""
    try:
        modules = compiled.runtime_executable().hlo_modules()
        return [module.as_serialized_hlo_module_proto() for module in modules]
    except (AttributeError, NotImplementedError, RuntimeError):
        return []


def _allocations(message: bytes, modules: Callable[[], Sequence[bytes]]) -> Iterator[Allocation]:
    made = list(map(_buffer, repeated(message, 1)))
    names = _names(modules(), {maker for _, maker, _ in made})
    buffers = {id_: (names.get(maker), index) for id_, maker, index in made}
    listed = [packed_numbers(dict(fields(peak)).get(2, b"")) for peak in repeated(message, 5)]
    peaks = {number for numbers in listed for number in numbers} if listed else None
    for allocation in repeated(message, 3):
        found = dict(fields(allocation))
        if not found.get(3):
            assigned = (dict(fields(part)) for part in repeated(allocation, 9))
            values = tuple(_value(part, buffers, peaks) for part in assigned)
            yield Allocation(found.get(1, 0), found.get(2, 0), _kind(found), values)


def _buffer(message: bytes) -> tuple[int, int, tuple[int, ...]]:
    """A `LogicalBufferProto`'s id, the id of its instruction, and the index within that one's shape."""
    found = dict(fields(message))
    place = dict(fields(found.get(3, b"")))
    return found.get(1, 0), place.get(4, 0), tuple(packed_numbers(place.get(3, b"")))


def _value(
    assigned: dict[int, Any],
    buffers: dict[int, tuple[str | None, tuple[int, ...]]],
    peaks: set[int] | None,
) -> Value:
    number = assigned.get(1, 0)
    name, shape_index = buffers[number]
    at_peak = None if peaks is None else number in peaks
    return Value(name, shape_index, assigned.get(3, 0), assigned.get(2, 0), at_peak)


def _kind(allocation: dict[int, Any]) -> Kind:
    if allocation.get(5):
        return "argument"
    if allocation.get(7):
        return "output"
    return "constant" if allocation.get(12) else "temp"
