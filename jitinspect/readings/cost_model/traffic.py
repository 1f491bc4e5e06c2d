"""Bytes that an instruction reads and writes, as if nothing stayed in a cache between instructions.

As in XLA's `HloCostAnalysis` (jaxlib 0.10.2 and 0.12.0), except that of what a gather or scatter takes parts,
only these parts are counted, also in a fusion: XLA then counts the whole array, as it does for a slice of a
reshaped array. XLA also counts the pointers
of tuples, and leaves out custom calls.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from jitinspect.ir.program import Block, Operation
from jitinspect.ir.shapes import elements, size

_FREE = frozenset({
    "parameter", "constant", "tuple", "get-tuple-element", "bitcast", "while", "call", "conditional",
    "async-start", "opt-barrier", "after-all", "domain", "add-dependency",
})  # fmt: skip
"""Opcodes that move no data themselves."""
_INDEX = re.compile(r"index=(\d+)")
_ONLY_WAIT = ("-done", "-update")
"""Suffixes of opcodes: those parts of an asynchronous operation that only wait."""
_SLICES = ("slice", "dynamic-slice", "gather")
_READ_SEPARATELY = (*_SLICES, "broadcast", "reshape")
"""Each of these reads a fusion's parameter separately; all other users share one read of it."""
_UPDATES = ("dynamic-update-slice", "scatter")
"""They overwrite parts of their first operands, in place: where XLA cannot, it inserts a copy before them."""
Overwrites = Callable[[Operation], bool]
"""Whether a scatter stores its updates without a look at what was there."""


def traffic(
    operation: Operation,
    operands: Sequence[str],
    overwrites: Overwrites,
    fused: FusedComputation | None = None,
) -> int:
    """`operands` are types; `fused` is the computation of a fusion, inside which nothing is moved."""
    opcode = operation.opcode
    if opcode in _FREE or opcode.endswith(_ONLY_WAIT):
        return 0
    if fused is not None:
        return fused.traffic()
    if opcode in _SLICES:
        return _taken(operation, size(operands[0])) + size(operation.type) + sum(map(size, operands[1:2]))
    if opcode in _UPDATES:
        update = Update(operation, operands, overwrites)
        return update.given + sum(update.read(at) + update.written(at) for at in range(update.count))
    return sum(map(size, operands)) + size(operation.type)


class Update:
    """A scatter, or a `dynamic-update-slice`. A scatter may have several targets, with an update for each."""

    def __init__(self, operation: Operation, operands: Sequence[str], overwrites: Overwrites) -> None:
        self._operands = operands
        self._is_scatter = operation.opcode == "scatter"
        self._reads = self._is_scatter and not overwrites(operation)
        self.count = len(operands) // 2 if self._is_scatter else 1

    @property
    def given(self) -> int:
        """The indices and the updates; of a `dynamic-update-slice`, as in XLA, the first index."""
        used = self._operands[self.count :] if self._is_scatter else self._operands[1:3]
        return sum(map(size, used))

    def read(self, at: int) -> int:
        """What is read of a target, to be combined with its update."""
        return self.written(at) if self._reads else 0

    def written(self, at: int) -> int:
        """What is written to a target: of what is written repeatedly, all is written once."""
        update = self._operands[self.count + 1 + at if self._is_scatter else 1]
        return min(size(update), size(self._operands[at]))


class FusedComputation:
    """What goes into and out of a fused computation."""

    def __init__(self, block: Block, root: Operation, overwrites: Overwrites) -> None:
        self._made = {one.names[0]: one for one in block.operations}
        self._users: dict[str, list[Operation]] = {}
        for one in block.operations:
            for name in dict.fromkeys(one.operands):
                self._users.setdefault(name, []).append(one)
        self._root = root
        self._overwrites = overwrites

    def traffic(self) -> int:
        """The parts of its parameters that are read, its non-scalar constants, and its results."""
        made = self._made.values()
        constants = (one for one in made if one.opcode == "constant" and elements(one.type) > 1)
        read = sum(self._read(one) for one in made if one.opcode == "parameter")
        return read + sum(size(one.type) for one in constants) + self._written()

    def _read(self, parameter: Operation) -> int:
        """Each slice of it counts as a slice; of what is updated in place, only what is combined is read."""
        name, whole = parameter.names[0], size(parameter.type)
        uses = list(self._uses(name))
        taken = sum(_taken(one, whole) for one, used in uses if _takes(one, used))
        combined = sum(
            self._update(one).read(one.operands.index(used)) for one, used in uses if _updates(one, used)
        )
        shared = [one for one, used in uses if not _takes(one, used) and not _updates(one, used)]
        return taken + (whole if shared or not uses else combined)

    def _uses(self, name: str) -> Iterator[tuple[Operation, str]]:
        """The users of a value, each with what it uses: the value, or another view of it."""
        for one in self._users.get(name, []):
            views = list(self._uses(one.names[0])) if one.opcode == "bitcast" else []
            yield from views or [(one, name)]

    def _written(self) -> int:
        results = self._root.operands if self._root.opcode == "tuple" else self._root.names
        return sum(self._result(name) for name in results)

    def _result(self, name: str, at: int | None = None) -> int:
        """What is written of a result, or of one of a scatter's several."""
        result = self._made[name]
        if result.opcode == "bitcast":
            return self._result(result.operands[0])
        if result.opcode == "get-tuple-element":
            return self._result(result.operands[0], _index(result))
        if result.opcode not in _UPDATES:
            return size(result.type)
        update = self._update(result)
        targets = range(update.count) if at is None else (at,)
        return sum(update.written(one) + self._made_here(result.operands[one]) for one in targets)

    def _made_here(self, target: str) -> int:
        """What is written of a value that is then updated in place."""
        made = self._made[target]
        while made.opcode == "bitcast":
            made = self._made[made.operands[0]]
        return 0 if made.opcode == "parameter" else self._result(made.names[0])

    def _update(self, operation: Operation) -> Update:
        operands = [self._made[name].type for name in operation.operands]
        return Update(operation, operands, self._overwrites)


def _index(element: Operation) -> int:
    found = _INDEX.search(element.rest)
    return int(found[1]) if found else 0


def _takes(user: Operation, name: str) -> bool:
    return user.opcode in _READ_SEPARATELY and user.operands[0] == name


def _taken(user: Operation, whole: int) -> int:
    """A gather may take the same elements repeatedly, but reads them once."""
    if user.opcode == "gather":
        return min(size(user.type), whole)
    return size(user.type) if user.opcode in _SLICES else whole


def _updates(user: Operation, name: str) -> bool:
    """Whether a value is only updated, and is not an update or an index as well."""
    if user.opcode not in _UPDATES:
        return False
    count = len(user.operands) // 2 if user.opcode == "scatter" else 1
    return name in user.operands[:count] and name not in user.operands[count:]
