"""Which module LLVM compiled when: XLA's events of that have no name, but each ends by writing a file.

A file's times lie within its event, the last one shortly before the end: 0.3 ms as a rule, and more if the
thread is interrupted. That leaves one possible event, or few, of which the most likely ones are taken.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt
from statistics import median
from typing import NamedTuple

from jitinspect.ir.trace import WrittenKernel

_TICK = 0.005
"""Seconds by which a file's time may be too early: file systems go by the kernel's ticks, of up to 4 ms."""
_SHORTEST = 0.0005
"""Seconds: no module is compiled faster, and what only asks for a compilation takes microseconds."""
_DOUBTFUL = 1.5
"""How much longer than the longest lag one may be to be thought possible."""


class Slot(NamedTuple):
    """When LLVM compiled a module, in seconds of the trace's clock."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(slots=True)
class CompiledModule:
    """A module that LLVM compiled in `slot`. `rivals` are those whose slot it may be instead."""

    kernel: WrittenKernel
    slot: Slot
    rivals: tuple[str, ...] = ()


def compiled_modules(
    kernels: Sequence[WrittenKernel], threads: Sequence[Sequence[Slot]]
) -> list[CompiledModule]:
    """The kernels with their slots; those for which none is left are not in it. `threads` has the slots of
    each thread, in order.
    """
    compilations = [[slot for slot in slots if slot.seconds >= _SHORTEST] for slots in threads]
    possible = {kernel.module: list(_possible(kernel, compilations)) for kernel in kernels}
    matched = _matched(possible)
    found = {one.module: CompiledModule(one, matched[one.module]) for one in kernels if one.module in matched}
    if found:
        _settle(found, possible)
    return list(found.values())


def _possible(kernel: WrittenKernel, threads: Sequence[Sequence[Slot]]) -> Iterator[Slot]:
    """Those in which its files may have been written."""
    for slots in threads:
        at = bisect_left(slots, kernel.written, key=lambda slot: slot.end)
        while at < len(slots) and slots[at].start <= kernel.begun + _TICK:
            yield slots[at]
            at += 1


def _matched(possible: dict[str, list[Slot]]) -> dict[str, Slot]:
    """A slot for as many modules as possible (Kuhn's algorithm): the first to end, where it is free."""
    owners: dict[Slot, str] = {}

    def give(module: str, tried: set[Slot]) -> bool:
        for slot in sorted(possible[module], key=lambda slot: slot.end):
            if slot not in tried:
                tried.add(slot)
                if slot not in owners or give(owners[slot], tried):
                    owners[slot] = module
                    return True
        return False

    for module in possible:
        give(module, set())
    return {module: slot for slot, module in owners.items()}


def _settle(found: dict[str, CompiledModule], possible: dict[str, list[Slot]]) -> None:
    """Have two change places if their lags are then more like the usual one: few that are long, rather than
    many that are a little longer. They stay rivals if their lags would be nothing unusual either.
    """
    usual = median(_lag(one, one.slot) for one in found.values())

    def oddness(one: CompiledModule, slot: Slot) -> float:
        return sqrt(abs(_lag(one, slot) - usual))

    for one, other in _pairs(found, possible):
        now = oddness(one, one.slot) + oddness(other, other.slot)
        if oddness(one, other.slot) + oddness(other, one.slot) < now:
            one.slot, other.slot = other.slot, one.slot
    longest = max(_lag(one, one.slot) for one in found.values())
    for one, other in _pairs(found, possible):
        if max(_lag(one, other.slot), _lag(other, one.slot)) <= _DOUBTFUL * longest:
            one.rivals, other.rivals = (*one.rivals, other.kernel.module), (*other.rivals, one.kernel.module)


def _lag(one: CompiledModule, slot: Slot) -> float:
    """From the file to the end of the slot."""
    return slot.end - one.kernel.written


def _pairs(
    found: dict[str, CompiledModule], possible: dict[str, list[Slot]]
) -> Iterator[tuple[CompiledModule, CompiledModule]]:
    """Those that might as well be the other way round, each pair once."""
    claimed: defaultdict[Slot, list[CompiledModule]] = defaultdict(list)
    for module, one in found.items():
        for slot in possible[module]:
            claimed[slot].append(one)
    seen = set()
    for several in claimed.values():
        for one, other in combinations(several, 2):
            names = one.kernel.module, other.kernel.module
            if names not in seen and one.slot in possible[names[1]] and other.slot in possible[names[0]]:
                seen.add(names)
                yield one, other
