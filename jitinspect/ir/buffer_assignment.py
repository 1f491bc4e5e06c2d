"""Where XLA put each value in memory, and when it is alive: the texts of a dump, parsed.

Two files of the folder that `xla_dump_to` names are read: `*after_optimizations-buffer-assignment.txt`, which
lists allocations with the values in them, and `*after_optimizations-live-range.txt`, which has the schedule
and the first and last step at which each value is alive, both inclusive. TPU and CUDA write the same syntax
(libtpu 0.0.42.1 and 0.0.50.1, jax-cuda12-pjrt 0.10.2 and 0.12.0.1; the later ones add `page 0`). A program
that does not fit leaves the same files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["argument", "output", "constant", "temp", "thread-local"]
DEVICE_MEMORY = 0
"""The memory space that a device's capacity is about: HBM on a TPU, the only one in CUDA's texts. On a TPU 1
is VMEM, 2 is SMEM, and others are of a few bytes.
"""

_ALLOCATION = re.compile(r"^allocation (\d+): size (\d+)(.*?):?$")
_VALUE = re.compile(
    r"^ value: <\d+ (?P<name>[^\s{]+)(?:\{(?P<index>[\d,]*)\})? (?:\(phi\) )?@\d+> "
    r"\(size=(?P<size>\d+),offset=(?P<offset>\d+)\): (?P<type>.*)$"
)
_PARAMETER = re.compile(r"\bparameter (\d+), shape .* at ShapeIndex \{([\d,]*)\}")
_COLOR = re.compile(r"\bcolor (\d+)")
_STEP = re.compile(r"^\s+(\d+):(\S+)$")
_RANGE = re.compile(r"^\s+([^\s{]+)\{([\d,]*)\}:(\d+)-(\d+)$")


class Live(NamedTuple):
    """The first and the last step of the schedule at which a value is alive."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Value:
    """An instruction's result, or the part of it at `shape_index`, in `bytes` from `offset` of its
    allocation, padding included. `type` is as XLA prints it, with its layout. `live` is None if the live
    ranges do not tell.
    """

    instruction: str
    shape_index: tuple[int, ...]
    bytes: int
    offset: int
    type: str
    live: Live | None = None

    def is_alive_at(self, step: int) -> bool:
        return self.live is not None and self.live.first <= step <= self.live.last


@dataclass(frozen=True, slots=True)
class Allocation:
    """A piece of the memory of `space`. A temporary's values share it, one after the other or side by side;
    all others are there during the whole run.

    `parameter` is the number of the module's parameter that it holds, with `shape_index` in it. `is_output`
    says that the caller gets it: of an argument, that it is donated and reused.
    """

    index: int
    bytes: int
    kind: Kind
    space: int
    values: tuple[Value, ...]
    parameter: int | None = None
    shape_index: tuple[int, ...] = ()
    is_output: bool = False


@dataclass(frozen=True, slots=True)
class BufferAssignment:
    """All allocations, and the names of the instructions in the order in which they run. The body of a loop
    is in the schedule once, and comes before the loop.
    """

    allocations: tuple[Allocation, ...]
    schedule: tuple[str, ...]

    def in_space(self, space: int) -> Iterator[Allocation]:
        return (one for one in self.allocations if one.space == space)


def parse(assignment: str, live_ranges: str = "") -> BufferAssignment:
    """The contents of the two files. Without the second there is no schedule, and no value has `live`.

    Raises `ValueError` if `assignment` lists no allocation.
    """
    schedule, lives = _live_ranges(live_ranges)
    allocations = tuple(_allocations(assignment, lives))
    if not allocations:
        raise ValueError("not a buffer assignment of XLA")
    return BufferAssignment(allocations, schedule)


Key = tuple[str, tuple[int, ...]]
"""An instruction's name, and an index in its shape."""


def _allocations(text: str, lives: dict[Key, Live]) -> Iterator[Allocation]:
    head: re.Match[str] | None = None
    values: list[Value] = []
    for line in text.splitlines():
        if found := _VALUE.match(line):
            values.append(_value(found, lives))
        elif found := _ALLOCATION.match(line):
            if head:
                yield _allocation(head, values)
            head, values = found, []
    if head:
        yield _allocation(head, values)


def _allocation(head: re.Match[str], values: list[Value]) -> Allocation:
    index, size, facts = head.groups()
    parameter, color = _PARAMETER.search(facts), _COLOR.search(facts)
    return Allocation(
        index=int(index),
        bytes=int(size),
        kind=_kind(facts),
        space=int(color[1]) if color else DEVICE_MEMORY,
        values=tuple(values),
        parameter=int(parameter[1]) if parameter else None,
        shape_index=_index(parameter[2]) if parameter else (),
        is_output=facts.endswith("maybe-live-out"),
    )


def _kind(facts: str) -> Kind:
    """A donated argument's allocation is an output too; the shape of a parameter may contain any word."""
    if facts.endswith(("thread-local", "constant")):
        return "constant" if facts.endswith("constant") else "thread-local"
    if _PARAMETER.search(facts):
        return "argument"
    return "output" if facts.endswith("maybe-live-out") else "temp"


def _value(found: re.Match[str], lives: dict[Key, Live]) -> Value:
    name, index = found["name"], _index(found["index"] or "")
    live = lives.get((name, index))
    return Value(name, index, int(found["size"]), int(found["offset"]), found["type"], live)


def _live_ranges(text: str) -> tuple[tuple[str, ...], dict[Key, Live]]:
    """The sections before `Live ranges at … (peak)`, which repeats them in another form."""
    schedule: list[str] = []
    lives: dict[Key, Live] = {}
    for line in text.partition("\n  Live ranges at ")[0].splitlines():
        if found := _RANGE.match(line):
            name, index, first, last = found.groups()
            lives[name, _index(index)] = Live(int(first), int(last))
        elif found := _STEP.match(line):
            schedule.append(found[2])
    return tuple(schedule), lives


def _index(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(","))) if text else ()
