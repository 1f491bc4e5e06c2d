"""How much of a memory a program takes, and when: sums over its allocations, and its fullest moment.

What a program takes during the whole run is the sum of all its allocations: arguments, outputs, constants,
and one piece for all temporaries. The compiler refuses a program for that sum, which it calls "the total
memory required" (libtpu 0.0.42.1 and 0.0.50.1). How full the piece for temporaries is changes from step to
step, and even at the fullest moment it may be less than full: the rest are gaps into which no value fits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from jitinspect.ir.buffer_assignment import DEVICE_MEMORY, Allocation, BufferAssignment, Live, Value


@dataclass(frozen=True, slots=True)
class Held:
    """An allocation, or a part of a temporary one, that is taken at some moment, in bytes. `values` are those
    in it, the largest first; if there are none at that moment, because it waits for its value or is no longer
    needed, those that it is for, and then `is_alive` is False.
    """

    allocation: Allocation
    values: tuple[Value, ...]
    bytes: int
    is_alive: bool


@dataclass(frozen=True, slots=True)
class Peak:
    """The step of the schedule at which most is taken, and how much that is, with what is taken all the time.

    The bytes are those of `peak_memory_in_bytes` of `memory_analysis()`, which adds the fullest piece of
    temporaries to all else. On a TPU that may be the one in VMEM, which is not counted here.
    """

    step: int
    bytes: int


def sums(assignment: BufferAssignment, space: int = DEVICE_MEMORY) -> dict[str, int]:
    """Bytes of each kind: `argument`, `output`, `alias`, `constant`, `temp`, `total`.

    The first three are those of `memory_analysis()`: what is donated and reused is in all three of them.
    `temp` is the same on CUDA. XLA for TPUs gives another number there: it leaves out what its backend does
    away with, and counts gaps between values twice.
    """
    found = dict.fromkeys(("argument", "output", "alias", "constant", "temp", "total"), 0)
    for one in assignment.in_space(space):
        found["total"] += one.bytes
        is_donated = one.kind == "argument" and one.is_output
        for kind in (one.kind, *(("output", "alias") if is_donated else ())):
            if kind in found:
                found[kind] += one.bytes
    return found


def peak(assignment: BufferAssignment, space: int = DEVICE_MEMORY) -> Peak:
    """The fullest moment: that of the temporaries, or where these do not differ, of all values that are
    alive. The first of several.
    """
    temporaries = _over_time(assignment, _occupied(_of_kind(assignment, space, True)))
    others = _over_time(assignment, _occupied(_of_kind(assignment, space, False)))
    step = max(range(len(temporaries)), key=lambda at: (temporaries[at], others[at]), default=0)
    standing = sum(one.bytes for one in _of_kind(assignment, space, False))
    return Peak(step, standing + (temporaries[step] if temporaries else 0))


def held(assignment: BufferAssignment, step: int, space: int = DEVICE_MEMORY) -> Iterator[Held]:
    """What is taken at `step`; its bytes add up to those of the peak, if the step is that of the peak."""
    for one in _of_kind(assignment, space, False):
        if one.values:
            yield _standing(one, step)
    for one in _of_kind(assignment, space, True):
        for values in _by_place(value for value in one.values if value.is_alive_at(step)).values():
            yield Held(one, tuple(values), values[0].bytes, True)


def _standing(allocation: Allocation, step: int) -> Held:
    """Of values of one size, the one that is there first, or if none is alive, the one that stays longest."""
    if alive := [value for value in allocation.values if value.is_alive_at(step)]:
        return Held(allocation, tuple(sorted(alive, key=lambda one: -one.bytes)), allocation.bytes, True)
    waiting = sorted(allocation.values, key=lambda one: (one.bytes, one.live or (0, 0)), reverse=True)
    return Held(allocation, tuple(waiting), allocation.bytes, False)


def _of_kind(assignment: BufferAssignment, space: int, temporary: bool) -> Iterator[Allocation]:
    """Those that are there all the time, or those that values take turns in. Thread-local ones, of a few
    bytes for what a reduction calls, are neither.
    """
    for one in assignment.in_space(space):
        if one.kind != "thread-local" and (one.kind == "temp") is temporary:
            yield one


Span = tuple[int, Live]
"""Bytes, and when they are taken."""


def _occupied(allocations: Iterable[Allocation]) -> Iterator[Span]:
    """Values in the same place at the same time, such as the state of a loop inside and outside of it, are
    one buffer. In device memory none were seen to overlap in any other way.
    """
    for allocation in allocations:
        for (_, size), values in _by_place(allocation.values).items():
            lives = sorted(value.live for value in values if value.live)
            yield from ((size, live) for live in _merged(lives))


def _by_place(values: Iterable[Value]) -> dict[tuple[int, int], list[Value]]:
    """By offset and size, in the order in which they are listed."""
    found: dict[tuple[int, int], list[Value]] = defaultdict(list)
    for value in values:
        found[value.offset, value.bytes].append(value)
    return found


def _merged(lives: Iterable[Live]) -> Iterator[Live]:
    """Sorted ranges, those that share a step joined."""
    current: Live | None = None
    for live in lives:
        if current and live.first <= current.last:
            current = Live(current.first, max(current.last, live.last))
            continue
        if current:
            yield current
        current = live
    if current:
        yield current


def _over_time(assignment: BufferAssignment, spans: Iterable[Span]) -> list[int]:
    """Bytes at each step of the schedule."""
    steps = len(assignment.schedule)
    changes = [0] * (steps + 1)
    for size, live in spans:
        changes[min(live.first, steps)] += size
        changes[min(live.last + 1, steps)] -= size
    return list(accumulate(changes))[:steps]
