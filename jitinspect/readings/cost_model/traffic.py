"""Bytes that an instruction reads and writes, as if nothing stayed in a cache between instructions, and which
of them are in the device's main memory, as the layouts say.

As in XLA's `HloCostAnalysis` (jaxlib 0.10.2 and 0.12.0), except that of what a gather or scatter takes parts,
only these parts are counted, also in a fusion: XLA then counts the whole array, as it does for a slice of a
reshaped array. XLA also counts the pointers
of tuples, and leaves out custom calls. The scratch memory of a CUDA library's call is not counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from jitinspect.ir.hlo import element_index
from jitinspect.ir.program import Operation
from jitinspect.ir.shapes import arrays, elements, main_memory, parts, size

_FREE = frozenset({
    "parameter", "constant", "tuple", "get-tuple-element", "bitcast", "while", "call", "conditional",
    "async-start", "opt-barrier", "after-all", "domain", "add-dependency",
})  # fmt: skip
"""Opcodes that move no data themselves."""
_VIEWS = ("ConcatBitcast", "AssumeGatherIndicesInBound")
"""Custom calls for TPUs that only see memory in another way."""
_HALVES = ("X64SplitLow", "X64SplitHigh")
"""A TPU holds numbers of 64 bits as two arrays, of which each of these takes one."""
_CUSTOM_TARGET = re.compile(r'custom_call_target="([^"]*)"')
_ONLY_WAIT = ("-done", "-update")
"""Suffixes of opcodes: those parts of an asynchronous operation that only wait."""
_SLICES = ("slice", "dynamic-slice", "gather")
_READ_SEPARATELY = (*_SLICES, "broadcast", "reshape")
"""Each of these reads a fusion's parameter separately; all other users share one read of it."""
_UPDATES = ("dynamic-update-slice", "scatter")
"""They overwrite parts of their first operands, in place: where XLA cannot, it inserts a copy before them."""
Overwrites = Callable[[Operation], bool]
"""Whether a scatter stores its updates without a look at what was there."""


class Traffic(NamedTuple):
    """Bytes read and written; `main` are those of the device's main memory, from which no instruction needs
    to read the same twice.
    """

    bytes: int = 0
    main: int = 0


def total_traffic(parts_: Iterable[Traffic]) -> Traffic:
    """The sums."""
    found = list(parts_)
    return Traffic(sum(one.bytes for one in found), sum(one.main for one in found))


def _whole(type_: str) -> Traffic:
    return Traffic(size(type_), main_memory(type_))


def _part(bytes_: int, of: str) -> Traffic:
    """So many bytes of a value of this type."""
    return Traffic(bytes_, bytes_ if all(array.space == 0 for array in arrays(of)) else 0)


def traffic(
    operation: Operation,
    operands: Sequence[str],
    overwrites: Overwrites,
    fused: FusedComputation | None = None,
) -> Traffic:
    """`operands` are types; `fused` is the computation of a fusion, inside which nothing is moved."""
    opcode = operation.opcode
    if opcode in _FREE or opcode.endswith(_ONLY_WAIT):
        return Traffic()
    if fused is not None:
        return fused.traffic()
    if opcode in _SLICES:
        taken = _part(_taken(operation, size(operands[0])), operands[0])
        return total_traffic([taken, _whole(operation.type), *map(_whole, operands[1:2])])
    if opcode in _UPDATES:
        update = Update(operation, operands, overwrites)
        moved = (one for at in range(update.count) for one in (update.read(at), update.written(at)))
        return total_traffic([update.given, *moved])
    if opcode == "custom-call":
        return _of_custom_call(operation, operands)
    return _moved(operation.operands, operands, operation.type)


def _moved(names: Sequence[str], operands: Sequence[str], result: str) -> Traffic:
    """Operands are read, and the result is written."""
    distinct = dict(zip(names, operands, strict=False)) if len(names) == len(operands) else {}
    read = [main_memory(type_) for type_ in (distinct.values() if distinct else operands)]
    return Traffic(sum(map(size, operands)) + size(result), sum(read) + main_memory(result))


def _of_custom_call(operation: Operation, operands: Sequence[str]) -> Traffic:
    target, result = _target(operation), operation.type
    if target in _VIEWS:
        return Traffic()
    if target in _HALVES:
        return total_traffic([_part(size(result), operands[0]), _whole(result)])
    return _moved(operation.operands, operands, _without_scratch(target, result))


def _target(custom_call: Operation) -> str:
    found = _CUSTOM_TARGET.search(custom_call.rest)
    return found[1] if found else ""


def _without_scratch(target: str, type_: str) -> str:
    """cuBLAS and cuDNN return their scratch memory last."""
    found = parts(type_) if target.startswith(("__cublas", "__cudnn")) else ()
    is_scratch = len(found) > 1 and found[-1].startswith(("s8[", "u8["))
    return " ".join(found[:-1]) if is_scratch else type_


class Update:
    """A scatter, or a `dynamic-update-slice`. A scatter may have several targets, with an update for each."""

    def __init__(self, operation: Operation, operands: Sequence[str], overwrites: Overwrites) -> None:
        self._operands = operands
        self._is_scatter = operation.opcode == "scatter"
        self._reads = self._is_scatter and not overwrites(operation)
        self.count = len(operands) // 2 if self._is_scatter else 1

    @property
    def given(self) -> Traffic:
        """The indices and the updates; of a `dynamic-update-slice`, as in XLA, the first index."""
        used = self._operands[self.count :] if self._is_scatter else self._operands[1:3]
        return total_traffic(map(_whole, used))

    def read(self, at: int) -> Traffic:
        """What is read of a target, to be combined with its update."""
        return self.written(at) if self._reads else Traffic()

    def written(self, at: int, into: str | None = None) -> Traffic:
        """What is written to a target, of the type `into`: of what is written repeatedly, all is written
        once.
        """
        update = self._operands[self.count + 1 + at if self._is_scatter else 1]
        target = self._operands[at]
        return _part(min(size(update), size(target)), target if into is None else into)


class FusedComputation:
    """What goes into and out of a fused computation, given its instructions and the name of its result."""

    def __init__(self, operations: Sequence[Operation], root: str, overwrites: Overwrites) -> None:
        self._made = {one.names[0]: one for one in operations}
        self._users: dict[str, list[Operation]] = {}
        for one in operations:
            for name in dict.fromkeys(one.operands):
                self._users.setdefault(name, []).append(one)
        self._root = self._made[root]
        self._overwrites = overwrites

    def traffic(self) -> Traffic:
        """The parts of its parameters that are read, its non-scalar constants, and its results."""
        made = self._made.values()
        constants = (one for one in made if one.opcode == "constant" and elements(one.type) > 1)
        read = (self._read(one) for one in made if one.opcode == "parameter")
        return total_traffic([*read, *(_whole(one.type) for one in constants), *self._written()])

    def _read(self, parameter: Operation) -> Traffic:
        """Each slice of it counts as a slice; of what is updated in place, only what is combined is read."""
        name, whole = parameter.names[0], size(parameter.type)
        uses = list(self._uses(name))
        taken = sum(_taken(one, whole) for one, used in uses if _takes(one, used))
        combined = sum(
            self._update(one).read(one.operands.index(used)).bytes
            for one, used in uses
            if _updates(one, used)
        )
        shared = [one for one, used in uses if not _takes(one, used) and not _updates(one, used)]
        read = taken + (whole if shared or not uses else combined)
        return Traffic(read, _part(min(read, whole), parameter.type).main)

    def _uses(self, name: str) -> Iterator[tuple[Operation, str]]:
        """The users of a value, each with what it uses: the value, or another view of it."""
        for one in self._users.get(name, []):
            views = list(self._uses(one.names[0])) if one.opcode == "bitcast" else []
            yield from views or [(one, name)]

    def _written(self) -> Iterator[Traffic]:
        results = self._viewed(self._root)
        if results.opcode == "tuple":
            yield from map(self._result, results.operands, parts(self._root.type))
        else:
            yield self._result(results.names[0], self._root.type)

    def _viewed(self, result: Operation) -> Operation:
        """What a view, or a view of a view, is one of."""
        while result.opcode == "bitcast":
            result = self._made[result.operands[0]]
        return result

    def _result(self, name: str, into: str, at: int | None = None) -> Traffic:
        """What is written of a result of the type `into`, or of one of a scatter's several."""
        result = self._viewed(self._made[name])
        if result.opcode == "get-tuple-element":
            return self._result(result.operands[0], into, element_index(result))
        if result.opcode == "tuple" and at is not None:
            return self._result(result.operands[at], into)
        if result.opcode not in _UPDATES:
            return _part(size(_without_scratch(_target(result), result.type)), into)
        update = self._update(result)
        targets = range(update.count) if at is None else (at,)
        return total_traffic(
            part
            for one in targets
            for part in (update.written(one, into), self._made_here(result.operands[one], into))
        )

    def _made_here(self, target: str, into: str) -> Traffic:
        """What is written of a value that is then updated in place."""
        made = self._viewed(self._made[target])
        return Traffic() if made.opcode == "parameter" else self._result(made.names[0], into)

    def _update(self, operation: Operation) -> Update:
        operands = [self._made[name].type for name in operation.operands]
        return Update(operation, operands, self._overwrites)


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
