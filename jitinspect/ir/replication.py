"""Which devices hold equal values, and sums over devices that add equal ones.

Each value has a number for each device: where two are equal, the devices' values are known to be equal. An
argument has that of the tile which a device holds; what is computed has one for each combination of its
operands'. Nothing is known of what a loop, a branch or a custom call makes: all devices are taken to differ.

XLA's partitioner (jaxlib 0.10.2 and 0.12.0.1, libtpu 0.0.42.1 and 0.0.50.1) adds up the parts of a
convolution's gradient by its kernel over all devices, where it should over those that the rows of the images
are sharded over: if the mesh has another axis, each part is added as often as there are devices along it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple

from jitinspect.ir import hlo
from jitinspect.ir.collectives import CollectiveOperation
from jitinspect.ir.dataflow import Dataflow
from jitinspect.ir.device_groups import Groups, groups, pairs
from jitinspect.ir.op_names import op_name
from jitinspect.ir.program import Block, Operation, Program, block_root

_PASSED_ON = ("bitcast", "broadcast", "convert", "copy", "copy-done", "copy-start", "reshape")
_INNER = ("call", "fusion")
_UNKNOWN = (
    "async-start", "conditional", "custom-call", "infeed", "recv", "replica-id", "rng",
    "rng-get-and-update-state", "send", "while",
)  # fmt: skip
_DIFFERING = tuple(f" {word}(" for word in (*_UNKNOWN, "partition-id"))
_CALLED = re.compile(r" (?:calls|to_apply)=%?([\w.\-]+)")
_COLLECTIVES = ("all-gather", "all-reduce", "all-to-all", "collective-broadcast", "reduce-scatter")
_TABLE = re.compile(r"\{([\d, ]+)\}")
_MOST = 4000
"""So many instructions of the entry are looked at in a module."""

Numbers = tuple[int, ...]
"""By device."""


class _Value(NamedTuple):
    """`numbers` as said above; `is_index` if they are the value itself, an integer. `table` are the integers
    of a constant.
    """

    numbers: Numbers
    is_index: bool = False
    table: Numbers = ()


_Scope = dict[str, _Value]
"""The values of a block by name."""


class Replication:
    """That of one module; `program` may be a part of it, as `flow` needs it. `tiles` gives those that the
    devices have of an argument, by its path; none if that is not known.
    """

    def __init__(self, program: Program, flow: Dataflow, tiles: Callable[[str], Sequence[Hashable]]) -> None:
        self._blocks = flow.blocks
        self._lines = program.lines
        self._flow = flow
        self._tiles = tiles
        self._devices = hlo.device_count(program)
        self._known: _Scope = {}
        self._left = _MOST

    def repeats(self, one: CollectiveOperation) -> int:
        """How often a sum over devices adds each value; 1 if the values of the devices may all differ."""
        if one.kind != "all-reduce" or not one.groups or not one.block.is_entry or not self._adds(one):
            return 1
        for operation in self._before(one.block, one.operation.operands):
            self._known[operation.names[0]] = self._made(operation, self._known)
        found = (self._known.get(name) for name in one.operation.operands)
        return max((_repeats(value.numbers, one.groups) for value in found if value), default=1)

    def _adds(self, one: CollectiveOperation) -> bool:
        return any(block_root(self._blocks[name]).opcode == "add" for name in one.operation.calls)

    def _before(self, block: Block, names: Iterable[str]) -> list[Operation]:
        """What these values are made from and is not known yet, in order; nothing if it is too much."""
        waiting = [name for name in names if name not in self._known]
        found: dict[str, Operation] = {}
        while waiting:
            name = waiting.pop()
            made = None if name in found else self._flow.made(block, name)
            if made is None:
                continue
            self._left -= 1
            found[name] = made
            if made.opcode not in _UNKNOWN:
                waiting += [operand for operand in made.operands if operand not in self._known]
        return sorted(found.values(), key=lambda one: one.start) if self._left > 0 else []

    def _made(self, operation: Operation, scope: _Scope) -> _Value:
        """`scope` has its operands."""
        if operation.opcode == "parameter":
            return self._given(operation)
        operands = [scope.get(name) for name in operation.operands]
        if operation.opcode == "partition-id":
            return _Value(self._differing, is_index=True)
        if operation.opcode == "constant":
            table = _TABLE.match(operation.rest)
            return _Value((0,) * self._devices, table=_numbers(table[1]) if table else ())
        known = [one for one in operands if one is not None]
        if operation.opcode in _UNKNOWN or len(known) < len(operands):
            return _Value(self._differing)
        if operation.opcode in _INNER and any(one.is_index for one in known):
            return self._inside(operation, known)
        if operation.opcode in _INNER and any(map(self._differs, operation.calls)):
            return _Value(self._differing)
        if operation.opcode == "dynamic-slice" and _is_looked_up(known):
            return _Value(tuple(known[0].table[at] for at in known[1].numbers), is_index=True)
        if operation.opcode in _PASSED_ON:
            return known[0]
        return _Value(self._exchanged(operation, self._together(known)))

    @property
    def _differing(self) -> Numbers:
        return tuple(range(self._devices))

    def _differs(self, name: str) -> bool:
        """Whether a computation may make something else on each device of equal operands."""
        block = self._blocks[name]
        text = "\n".join(self._lines[block.start : block.end])
        return any(word in text for word in _DIFFERING) or any(map(self._differs, _CALLED.findall(text)))

    def _together(self, values: Sequence[_Value]) -> Numbers:
        columns = [value.numbers for value in values]
        if any(len(set(column)) == self._devices for column in columns):
            return self._differing
        return _numbered(list(zip(*columns, strict=True))) if columns else (0,) * self._devices

    def _given(self, parameter: Operation) -> _Value:
        found = self._tiles(op_name(self._flow.line(parameter)))
        return _Value(_numbered(found) if len(found) == self._devices else self._differing)

    def _inside(self, caller: Operation, operands: Sequence[_Value]) -> _Value:
        """What a computation makes of its operands: the value of its root."""
        scope: _Scope = {}
        block = self._blocks[caller.calls[0]]
        for operation in block.operations:
            at = hlo.parameter_number(operation) if operation.opcode == "parameter" else None
            scope[operation.names[0]] = self._made(operation, scope) if at is None else operands[at]
        return scope[block_root(block).names[0]]

    def _exchanged(self, operation: Operation, given: Numbers) -> Numbers:
        """What a collective leaves each device; of another instruction what it is given."""
        kind = operation.opcode.removesuffix("-start")
        if kind == "collective-permute":
            sources = {target: given[source] for source, target in pairs(operation.rest) or ()}
            return _numbered([sources.get(device, -1) for device in range(self._devices)])
        if kind not in _COLLECTIVES:
            return given
        found = groups(operation.rest, self._devices)
        return _numbered(_by_device(kind, found, given)) if found else self._differing


def _is_looked_up(operands: Sequence[_Value]) -> bool:
    """The partitioner has tables of what belongs to each device, and looks up its own."""
    if len(operands) != 2:
        return False
    whole, index = operands
    return index.is_index and max(index.numbers) < len(whole.table)


def _by_device(kind: str, found: Groups, given: Numbers) -> list[Hashable]:
    """What each device has of a group: all of it, or a part by its place in the group."""
    left: list[Hashable] = [("alone", number) for number in given]
    for group in found:
        whole = tuple(given[device] for device in group)
        if kind == "all-reduce":
            whole = tuple(sorted(whole))
        for at, device in enumerate(group):
            left[device] = whole if kind in ("all-gather", "all-reduce") else (at, whole)
    return left


def _numbered(values: Sequence[Hashable]) -> Numbers:
    """Equal values have equal numbers, from 0."""
    numbers: dict[Hashable, int] = {}
    return tuple(numbers.setdefault(value, len(numbers)) for value in values)


def _numbers(text: str) -> Numbers:
    return tuple(int(number) for number in text.split(","))


def _repeats(numbers: Numbers, found: Groups) -> int:
    """How often each of the values in a group is there, if that is the same for all."""
    counts = {count for group in found for count in Counter(numbers[at] for at in group).values()}
    return counts.pop() if len(counts) == 1 else 1
