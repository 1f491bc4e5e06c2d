"""Where a value of an HLO module comes from and where it goes, across computations.

Computations are read where the way leads to them, and no others: a large module need not be parsed whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import tee
from typing import NamedTuple

from jitinspect.ir import hlo
from jitinspect.ir.collectives import Part
from jitinspect.ir.program import Block, Operation, Program, block_root

_ELEMENT = re.compile(r"%([\w.\-]+)(?:#(\d+))?")
_MOST = 400
"""So many instructions a search looks at."""
PASSED_ON = (
    "bitcast", "bitcast-convert", "convert", "copy", "copy-done", "copy-start", "get-tuple-element",
    "optimization-barrier", "reshape", "transpose", "tuple",
)  # fmt: skip
"""Their result is their operand, or elements of it, in another place or form."""
_CUT = ("slice", "pad")
"""Their result is a part of their operand, or has more around it. The way to what made it passes them."""
_MOVES = ("all-gather", "all-to-all", "collective-permute", "all-gather-start", "collective-permute-start")
"""Collectives that compute nothing. The way to what uses a value passes them; what made a value is one."""


class Place(NamedTuple):
    """An instruction, and the computation that it is in."""

    block: Block
    operation: Operation


class _Value(NamedTuple):
    """A value by name, in a computation; or an element of it, a tuple."""

    block: Block
    name: str
    element: int | None = None


class Dataflow:
    """That of one module, from JAX's own text; `program` is all of it, or a part that has all that calls the
    blocks on the way.
    """

    def __init__(self, program: Program) -> None:
        self._lines = program.lines
        self.blocks = program.whole if isinstance(program, Part) else program.named()
        self._callers: dict[str, list[Place]] = {}
        for block in program.blocks:
            for operation in block.operations:
                self._note_calls(Place(block, operation))
        self._defined = cache(self._definitions)
        self._used = cache(self._uses)
        self._known_operands: dict[int, list[tuple[str, str]]] = {}
        self._begun: dict[tuple[str, str, int | None], Iterator[Place]] = {}

    def _note_calls(self, caller: Place) -> None:
        """Also of an instruction that the way led to, which a part of a program does not have."""
        for name in caller.operation.calls:
            known = self._callers.setdefault(name, [])
            if all(one.operation.start != caller.operation.start for one in known):
                known.append(caller)

    def line(self, operation: Operation) -> str:
        """The text of an instruction, with its metadata."""
        return self._lines[operation.start]

    def callers(self, block: Block) -> list[Place]:
        return self._callers.get(block.name, [])

    def between(self, block: Block, first: Operation, last: Operation) -> Iterator[Operation]:
        """The instructions of a block after one and before another, in the order of the schedule."""
        for one in self.blocks[block.name].operations:
            if first.start < one.start < last.start:
                yield one

    def made(self, block: Block, name: str) -> Operation | None:
        """The instruction of that name."""
        return self._defined(block.name).get(name)

    def users(self, block: Block, name: str) -> list[Operation]:
        return self._used(block.name).get(name, [])

    def sources(self, place: Place, operand: int) -> Iterator[Place]:
        """Backwards from an operand: each instruction that its value passed through, the nearest first."""
        found = self._operands(place.operation)
        if operand >= len(found):
            return
        name, element = found[operand]
        value: _Value | None = _Value(place.block, name, int(element) if element else None)
        for _ in range(_MOST):
            if value is None or (made := self.made(value.block, value.name)) is None:
                return
            yield Place(value.block, made)
            value = self._before(value, made)

    def uses(self, place: Place, element: int | None = None) -> Iterator[Place]:
        """Forwards from a result, or an element of it: each instruction that takes it, the nearest first. The
        search goes on behind those that pass it on, and into and out of computations. What was found before
        is not searched for again.
        """
        key = place.block.name, place.operation.names[0], element
        found, self._begun[key] = tee(self._begun.get(key) or self._forwards(place, element))
        return found

    def _forwards(self, place: Place, element: int | None) -> Iterator[Place]:
        waiting = [_Value(place.block, place.operation.names[0], element)]
        seen = {_key(value) for value in waiting}
        for value in waiting:
            if len(seen) > _MOST:
                return
            for user in self.users(value.block, value.name):
                for at in self._taken_at(user, value):
                    yield Place(value.block, user)
                    fresh = [one for one in self._after(value, user, at) if _key(one) not in seen]
                    seen.update(map(_key, fresh))
                    waiting += fresh

    def _before(self, value: _Value, made: Operation) -> _Value | None:
        """What a value was before `made` passed it on; None if it made it."""
        block, element = value.block, value.element
        if made.opcode == "get-tuple-element":
            return self._operand(block, made, 0, hlo.element_index(made))
        if made.opcode == "tuple":
            return self._operand(block, made, element or 0, None)
        if made.opcode in PASSED_ON:
            return self._operand(block, made, 0, element)
        if made.opcode == "parameter":
            return self._entering(block, made, element)
        if made.opcode in ("fusion", "call", "async-start") and made.calls:
            self._note_calls(Place(block, made))
            inner = self.blocks[made.calls[0]]
            return _Value(inner, self._root(inner).names[0], element)
        if made.opcode == "while":  # what the last iteration made of it
            body = self.blocks[hlo.loop_parts(made)["body"]]
            return self._operand(body, self._root(body), element or 0, None)
        if made.opcode.endswith("-done") or made.opcode in _CUT:
            return self._operand(block, made, 0, element)
        return None

    def _entering(self, block: Block, parameter: Operation, element: int | None) -> _Value | None:
        for caller, by in self.callers(block):
            number = 0 if by.opcode == "while" else hlo.parameter_number(parameter)
            if by.opcode == "conditional":
                number = by.calls.index(block.name) + 1
            return self._operand(caller, by, number, element)
        return None

    def _operand(self, block: Block, operation: Operation, at: int, element: int | None) -> _Value | None:
        found = self._operands(operation)
        if at >= len(found):
            return None
        name, own = found[at]
        return _Value(block, name, int(own) if own else element)

    def _taken_at(self, user: Operation, value: _Value) -> list[int]:
        """Which operands of the user the value is."""
        found = self._operands(user)
        return [
            at
            for at, (name, element) in enumerate(found)
            if name == value.name and (not element or value.element in (None, int(element)))
        ]

    def _after(self, value: _Value, user: Operation, at: int) -> Iterator[_Value]:
        """What a value is after its user passed it on."""
        block, element = value.block, value.element
        _, own = self._operands(user)[at]
        element = None if own else element
        is_root = user.start == block.root
        if user.opcode == "get-tuple-element":
            if element in (None, hlo.element_index(user)):
                yield _Value(block, user.names[0])
        elif user.opcode == "tuple":
            yield _Value(block, user.names[0], at)
        elif user.opcode in (*PASSED_ON, *_MOVES) or user.opcode.endswith("-done") or _is_marker(user):
            yield _Value(block, user.names[0], element)
        elif user.calls and user.opcode in ("fusion", "call", "async-start", "while", "conditional"):
            yield from self._inside(value, user, at, element)
        if is_root and (user.opcode in PASSED_ON or _is_marker(user)):
            yield from self._leaving(block, at if user.opcode == "tuple" else element)

    def _inside(self, value: _Value, user: Operation, at: int, element: int | None) -> Iterator[_Value]:
        """The parameter that a value becomes in the computations that are called with it."""
        self._note_calls(Place(value.block, user))
        names, number = user.calls, at
        if user.opcode == "while":
            names = (hlo.loop_parts(user)["body"],)
        elif user.opcode == "conditional":
            names, number = user.calls[at - 1 : at], 0
        for name in names:
            given = (one for one in self.blocks[name].operations if one.opcode == "parameter")
            found = (one.names[0] for one in given if hlo.parameter_number(one) == number)
            yield from (_Value(self.blocks[name], parameter, element) for parameter in found)

    def _leaving(self, block: Block, element: int | None) -> Iterator[_Value]:
        for caller, by in self.callers(block):
            if by.opcode != "while" or hlo.loop_parts(by)["body"] == block.name:
                yield _Value(caller, by.names[0], element)

    def _root(self, block: Block) -> Operation:
        return block_root(self.blocks[block.name])

    def _operands(self, operation: Operation) -> list[tuple[str, str]]:
        """Each with the element of it that is taken, "" for all of it."""
        if operation.start not in self._known_operands:
            found = _ELEMENT.findall(operation.arguments) if operation.arguments else None
            self._known_operands[operation.start] = found or [(name, "") for name in operation.operands]
        return self._known_operands[operation.start]

    def _definitions(self, block: str) -> dict[str, Operation]:
        return {one.names[0]: one for one in self.blocks[block].operations}

    def _uses(self, block: str) -> dict[str, list[Operation]]:
        found: dict[str, list[Operation]] = {}
        for one in self.blocks[block].operations:
            for name in dict.fromkeys(one.operands):
                found.setdefault(name, []).append(one)
        return found


def _key(value: _Value) -> tuple[str, str, int | None]:
    return value.block.name, value.name, value.element


def _is_marker(operation: Operation) -> bool:
    """What XLA for TPUs puts around an asynchronous collective in a fusion."""
    return operation.opcode == "custom-call" and "AsyncCollective" in operation.rest
