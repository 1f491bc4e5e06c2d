"""How often the loops of an HLO module run.

XLA for CPU and CUDA notes it (`known_trip_count`); XLA for TPUs does not (libtpu 0.0.42.1, 0.0.50.1). There
it is found from the loop itself: what its counter begins with, what each iteration adds to it, and the number
that it is compared with.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import NamedTuple

from jitinspect.ir.hlo import element_index, loop_parts, trip_count
from jitinspect.ir.program import Block, Operation, Program

_INTEGER = re.compile(r"-?\d+")
_DIRECTION = re.compile(r"direction=(\w+)")
_OPERAND = re.compile(r"%([\w.\-]+(?:#\d+)?)")
_SAME = ("copy", "bitcast", "convert", "copy-start", "copy-done", "reshape")
_MIRRORED = {"LT": "GT", "GT": "LT", "LE": "GE", "GE": "LE", "NE": "NE"}
_DEEPEST = 50


class _Element(NamedTuple):
    """An element of a loop's state."""

    at: int


class _Step(NamedTuple):
    """An element of a loop's state, and what was added to it."""

    at: int
    by: int


_Value = int | _Element | _Step | None


class TripCounts:
    """Those of a program's loops."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._blocks = program.named()
        self._loops = {
            part: (block, block.operations[at])
            for block, at in program.places(lambda one: one.opcode == "while")
            for part in loop_parts(block.operations[at]).values()
        }
        self._known: dict[int, int | None] = {}

    @cached_property
    def _made(self) -> dict[str, dict[str, Operation]]:
        return {
            block.name: {one.names[0]: one for one in block.operations} for block in self._blocks.values()
        }

    def __getitem__(self, loop: Operation) -> int | None:
        """None if it is not known, as for a loop that ends when data say so."""
        if id(loop) not in self._known:
            known = trip_count(loop)
            self._known[id(loop)] = self._inferred(loop) if known is None else known
        return self._known[id(loop)]

    def _inferred(self, loop: Operation) -> int | None:
        parts = {part: self._blocks[name] for part, name in loop_parts(loop).items()}
        found = self._comparison(parts["condition"], self._program.root(parts["condition"]))
        if found is None:
            return None
        direction, counter, limit = found
        begin = self._entering(parts["body"], counter)
        after = self._state_after(parts["body"], counter)
        if begin is None or not isinstance(after, _Step) or after.at != counter:
            return None
        return _count(begin, limit, after.by, direction)

    def _comparison(self, block: Block, root: Operation) -> tuple[str, int, int] | None:
        """The direction, the index of the counter, and the limit."""
        if root.opcode != "compare" or len(_operands(root)) != 2:
            return None
        left, right = (self._value(block, name) for name in _operands(root))
        found = _DIRECTION.search(root.rest)
        direction = found[1] if found else ""
        if isinstance(right, _Element):
            left, right, direction = right, left, _MIRRORED.get(direction, "")
        if not isinstance(left, _Element) or not isinstance(right, int):
            return None
        return direction, left.at, right

    def _state_after(self, body: Block, index: int) -> _Value:
        """An element of what an iteration returns."""
        root = self._program.root(body)
        if root.opcode != "tuple" or index >= len(root.operands):
            return None
        return self._value(body, _operands(root)[index])

    def _entering(self, body: Block, index: int, depth: int = 0) -> int | None:
        """What an element of the state is when the loop begins."""
        if depth > _DEEPEST or body.name not in self._loops:
            return None
        outer, loop = self._loops[body.name]
        state = self._made[outer.name].get(loop.operands[0])
        if state is None or state.opcode != "tuple":
            return None
        value = self._value(outer, _operands(state)[index], depth + 1)
        return value if isinstance(value, int) else None

    def _value(self, block: Block, name: str, depth: int = 0) -> _Value:
        whole, _, index = name.partition("#")
        one = self._made[block.name].get(whole)
        if one is None or depth > _DEEPEST:
            return None
        if index:
            return self._element(block, one, int(index), depth)
        if one.opcode == "constant":
            return _constant(one)
        if one.opcode in _SAME:
            return self._value(block, _operands(one)[0], depth + 1)
        if one.opcode == "get-tuple-element":
            return self._value(block, f"{_operands(one)[0]}#{element_index(one)}", depth + 1)
        return self._sum(block, one, depth + 1) if one.opcode in ("add", "subtract") else None

    def _element(self, block: Block, whole: Operation, index: int, depth: int) -> _Value:
        """An element of a tuple: of a loop's state, a number if no iteration changes it."""
        if whole.opcode == "tuple":
            return self._value(block, _operands(whole)[index], depth + 1)
        if whole.opcode != "parameter":
            return None
        return self._unchanged(block, index, depth + 1) if block.name in self._loops else None

    def _unchanged(self, block: Block, index: int, depth: int) -> _Value:
        _, loop = self._loops[block.name]
        body = self._blocks[loop_parts(loop)["body"]]
        if self._passes(body, index):
            entering = self._entering(body, index, depth)
            return _Element(index) if entering is None else entering
        return _Element(index)

    def _passes(self, body: Block, index: int) -> bool:
        """Whether an iteration returns the element as it is, seen without a look at its value."""
        root = self._program.root(body)
        name = _operands(root)[index] if root.opcode == "tuple" else ""
        for _ in range(_DEEPEST):
            whole, _, element = name.partition("#")
            one = self._made[body.name].get(whole)
            if one is None:
                return False
            if element:
                return one.opcode == "parameter" and int(element) == index
            if one.opcode == "get-tuple-element":
                name = f"{_operands(one)[0]}#{element_index(one)}"
            elif one.opcode in _SAME:
                name = _operands(one)[0]
            else:
                return False
        return False

    def _sum(self, block: Block, one: Operation, depth: int) -> _Value:
        left, right = (self._value(block, name, depth) for name in _operands(one))
        if one.opcode == "subtract":
            right = -right if isinstance(right, int) else None
        if isinstance(left, int) and not isinstance(right, int):
            left, right = right, left
        if not isinstance(right, int) or left is None:
            return None
        if isinstance(left, int):
            return left + right
        return _Step(left.at, right + (left.by if isinstance(left, _Step) else 0))


def _operands(operation: Operation) -> tuple[str, ...]:
    return tuple(_OPERAND.findall(operation.arguments)) if operation.arguments else operation.operands


def _constant(one: Operation) -> int | None:
    found = _INTEGER.match(one.rest)
    return int(found[0]) if found and one.type.startswith(("s", "u")) else None


def _count(begin: int, limit: int, step: int, direction: str) -> int | None:
    """How many of begin, begin + step, … come before the first that does not compare so with the limit; None
    if there is no such.
    """
    if direction in ("LE", "GE"):
        limit += 1 if direction == "LE" else -1
    is_towards = {"LT": step > 0, "LE": step > 0, "GT": step < 0, "GE": step < 0, "NE": step != 0}
    if not is_towards.get(direction, False):
        return None
    if direction == "NE" and ((limit - begin) % step or (limit - begin) // step < 0):
        return None
    return max(0, -((begin - limit) // step))
