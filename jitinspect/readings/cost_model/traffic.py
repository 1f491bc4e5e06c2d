"""Bytes that an instruction reads and writes, as if nothing stayed in a cache between instructions.

As in XLA's `HloCostAnalysis` (jaxlib 0.10.2 and 0.12.0), except that it also counts the pointers of tuples,
and counts a gather in a fusion, and an update followed by a bitcast, in full.
"""

from __future__ import annotations

from collections.abc import Sequence

from jitinspect.ir.program import Block, Operation
from jitinspect.ir.shapes import elements, size

_FREE = frozenset({
    "parameter", "constant", "tuple", "get-tuple-element", "bitcast", "while", "call", "conditional",
    "async-start", "opt-barrier", "after-all", "domain", "add-dependency",
})  # fmt: skip
"""Opcodes that move no data themselves."""
_ONLY_WAIT = ("-done", "-update")
"""Suffixes of opcodes: those parts of an asynchronous operation that only wait."""
_SLICES = ("slice", "dynamic-slice", "gather")
_READ_SEPARATELY = (*_SLICES, "broadcast", "reshape")
"""Each of these reads a fusion's parameter separately; all other users share one read of it."""


def traffic(operation: Operation, operands: Sequence[str], fused: FusedComputation | None = None) -> int:
    """`operands` are types; `fused` is the computation of a fusion, inside which nothing is moved."""
    opcode = operation.opcode
    if opcode in _FREE or opcode.endswith(_ONLY_WAIT):
        return 0
    if fused is not None:
        return fused.traffic()
    if opcode in _SLICES:
        return 2 * size(operation.type) + sum(map(size, operands[1:2]))
    if opcode == "dynamic-update-slice":
        return 2 * size(operands[1]) + sum(map(size, operands[2:3]))
    if opcode == "scatter":
        updates = operands[len(operands) // 2 + 1 :]
        return 3 * sum(map(size, updates)) + size(operands[len(operands) // 2])
    return sum(map(size, operands)) + size(operation.type)


class FusedComputation:
    """What goes into and out of a fused computation."""

    def __init__(self, block: Block, root: Operation) -> None:
        self._made = {one.names[0]: one for one in block.operations}
        self._users: dict[str, list[Operation]] = {}
        for one in block.operations:
            for name in dict.fromkeys(one.operands):
                self._users.setdefault(name, []).append(one)
        self._root = root

    def traffic(self) -> int:
        """The parts of its parameters that are read, its non-scalar constants, and its results."""
        made = self._made.values()
        constants = (one for one in made if one.opcode == "constant" and elements(one.type) > 1)
        read = sum(self._read(one) for one in made if one.opcode == "parameter")
        return read + sum(size(one.type) for one in constants) + self._written()

    def _read(self, parameter: Operation) -> int:
        """Each slice of it counts as a slice; what is only updated in place is not read."""
        name, whole = parameter.names[0], size(parameter.type)
        users = self._users.get(name, [])
        read = sum(_taken(one, whole) for one in users if _takes(one, name))
        shared = [one for one in users if not _takes(one, name) and not _updates(one, name)]
        return read + (whole if shared or not users else 0)

    def _written(self) -> int:
        results = self._root.operands if self._root.opcode == "tuple" else self._root.names
        return sum(self._result(self._made[name]) for name in results)

    def _result(self, result: Operation) -> int:
        while result.opcode == "bitcast":
            result = self._made[result.operands[0]]
        is_update = result.opcode == "dynamic-update-slice"
        return size(self._made[result.operands[1]].type if is_update else result.type)


def _takes(user: Operation, name: str) -> bool:
    return user.opcode in _READ_SEPARATELY and user.operands[0] == name


def _taken(user: Operation, whole: int) -> int:
    """A gather may take the same elements repeatedly, but reads them once."""
    if user.opcode == "gather":
        return min(size(user.type), whole)
    return size(user.type) if user.opcode in _SLICES else whole


def _updates(user: Operation, name: str) -> bool:
    return user.opcode == "dynamic-update-slice" and name not in user.operands[1:]
