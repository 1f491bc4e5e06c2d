"""The order in which a function should return its results, so that donated buffers take them without copies.

JAX pairs donated arguments with results of the same type in the order in which each come (jax 0.8.3 to
0.12.0.1). A buffer can only be overwritten when it is no longer read; if its result is needed to compute what
reads it, XLA copies.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from jitinspect.ir.program import Block
from jitinspect.ir.shapes import arrays, size

_INDEX = re.compile(r"\[\d+\]")
_MOST_SIBLINGS = 8
"""Longer lists, such as those of layers, are not reordered."""

Order = tuple[int, ...]
"""Indices of the outputs, in the order in which to return them."""


@dataclass(frozen=True, slots=True)
class Donation:
    """The entry of a module that is compiled without donation: the parameters to donate, in order, and the
    instruction that makes each output.
    """

    entry: Block
    parameters: Sequence[str]
    outputs: Sequence[str]

    def refused(self, order: Order) -> int:
        """Bytes of the buffers that would have to be copied if outputs came in this `order`."""
        types = {one.names[0]: one.type for one in self.entry.operations}
        flow = _Flow(self.entry, self.outputs)
        pairs = self._pairs(order, types)
        return sum(size(types[parameter]) for parameter, output in pairs if not flow.add(parameter, output))

    def _pairs(self, order: Order, types: dict[str, str]) -> Iterator[tuple[str, str]]:
        free: dict[object, deque[str]] = defaultdict(deque)
        for name in self.parameters:
            free[arrays(types[name])].append(name)
        for output in (self.outputs[at] for at in order):
            if waiting := free[arrays(types[output])]:
                yield waiting.popleft(), output


class _Flow:
    """What must run before what: instructions after their operands, and the writing of a donated buffer after
    all that reads it.
    """

    def __init__(self, entry: Block, outputs: Sequence[str]) -> None:
        self._later: dict[str, set[str]] = defaultdict(set)
        self._copies = {one.names[0] for one in entry.operations if one.opcode == "copy"} & set(outputs)
        for one in entry.operations:
            if one.opcode != "tuple" or not set(outputs) & set(one.operands):
                for operand in one.operands:
                    self._later[operand].add(one.names[0])

    def add(self, parameter: str, output: str) -> bool:
        """Has `output` overwrite the parameter, if that can come after all else that reads it.

        A parameter that is returned as it is, XLA copies first.
        """
        readers = self._later[parameter] - {output}
        if readers & self._copies:
            return False
        if output != parameter and self._reaches(output, readers | {parameter}):
            return False
        for reader in readers:
            self._later[reader].add(output)
        return True

    def _reaches(self, start: str, targets: set[str]) -> bool:
        seen, waiting = {start}, [start]
        while waiting:
            later = self._later.get(waiting.pop(), set())
            if later & targets:
                return True
            waiting.extend(later - seen)
            seen |= later
        return False


def better(donation: Donation, names: Sequence[str]) -> Order | None:
    """An order with fewer copies, found by exchanging two elements of a returned tuple or list at a time;
    None if there is none. `names` are the paths of the outputs: `result[0]['w']`.
    """
    order: Order = tuple(range(len(names)))
    found, fewest = order, donation.refused(order)
    while fewest:
        tried = min(((donation.refused(one), one) for one in _exchanged(found, names)), default=None)
        if tried is None or tried[0] >= fewest:
            break
        fewest, found = tried
    return found if found != order else None


def _exchanged(order: Order, names: Sequence[str]) -> Iterator[Order]:
    for elements in _siblings(order, names).values():
        for one, other in combinations(range(len(elements)), 2):
            moved = list(elements)
            moved[one], moved[other] = elements[other], elements[one]
            start = order.index(elements[0][0])
            block = [at for element in moved for at in element]
            yield (*order[:start], *block, *order[start + len(block) :])


def _siblings(order: Order, names: Sequence[str]) -> dict[str, list[list[int]]]:
    """Path of each short tuple or list → the outputs in each of its elements, in order."""
    found: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for at in order:
        for index in _INDEX.finditer(names[at]):
            found[names[at][: index.start()]][index[0]].append(at)
    return {
        path: list(elements.values())
        for path, elements in found.items()
        if 1 < len(elements) <= _MOST_SIBLINGS
    }


def moved_elements(order: Order, names: Sequence[str]) -> tuple[str, ...]:
    """The elements of each tuple or list that is reordered, in their new order: `result[1]`, `result[0]`."""
    return tuple(
        f"{path}{_INDEX.search(names[element[0]], len(path))[0]}"  # type: ignore[index]
        for path, elements in _siblings(order, names).items()
        if any(one > other for (one, *_), (other, *_) in pairwise(elements))
        for element in elements
    )
