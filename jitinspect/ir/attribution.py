"""Which lines of the user's an operation was made by.

The innermost frame of a file of the user's. An operation that has none belongs to a library, or to XLA: it
takes the lines of the operation that calls its block; an HLO instruction before that those of what it moves
or prepares.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import NamedTuple

from jitinspect.ir.program import Block, Frame, Operation, Program
from jitinspect.process.paths import is_installed

IsUsers = Callable[[str], bool]

MADE_BY_NO_LINE = (
    "parameter", "constant", "stablehlo.constant", "return", "func.return", "stablehlo.return",
)  # fmt: skip
"""Operations of the texts that stand for what comes in, and what goes out."""
_WITHOUT = ("parameter", "constant")
_JITINSPECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


class Line(NamedTuple):
    """A line of a file of the user's."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def users_files(own: str | None = None) -> IsUsers:
    """Tells the user's files: those that are neither installed nor Python's. `own` is the target's, which
    counts with its folder wherever that is.
    """
    beside = os.path.dirname(os.path.abspath(own)) + os.sep if own else None

    def is_users(file: str) -> bool:
        if beside is not None and file.startswith(beside):
            return True
        if is_installed(file) or file.startswith((_JITINSPECT, "<")):
            return False
        return f"{os.sep}site-packages{os.sep}" not in file  # of another environment

    return is_users


class Attribution:
    """The lines of each operation of a program; those of a fusion are the lines of all that it holds."""

    def __init__(self, program: Program, is_users: IsUsers) -> None:
        self._is_users = is_users
        self._known: dict[int, tuple[Line, ...]] = {}
        self._innermost: dict[tuple[Frame, ...], tuple[Line, ...]] = {}
        self._blocks = program.named()
        self._callers: dict[int, list[Operation]] = {}
        self._is_hlo = program.stage == "hlo"
        for operation in program.operations():
            for block in (*operation.inner, *self._called(operation)):
                self._callers.setdefault(id(block), []).append(operation)
        self._attribute(program)

    def lines(self, operation: Operation) -> tuple[Line, ...]:
        """Those of `operation`; more than one where several made it. Empty where none is known."""
        return self._known.get(id(operation), ())

    def stack(self, operation: Operation) -> tuple[Line, ...]:
        """All lines of the user's that led to `operation`, innermost first; empty where it has no frames."""
        return tuple(Line(frame.file, frame.line) for frame in operation.frames if self._is_users(frame.file))

    def _called(self, operation: Operation) -> Iterable[Block]:
        return (self._blocks[name] for name in operation.calls if name in self._blocks)

    def _attribute(self, program: Program) -> None:
        """Blocks that are called come after those that call them, so that lines are inherited all the way."""
        for block in _callers_first(program, self._blocks):
            inherited = self._inherited(block)
            for operation in block.operations:
                self._known[id(operation)] = self._fused(operation) or self._own(operation)
            if self._is_hlo:
                self._follow_data(block)
            for operation in block.operations:
                if not (self._known[id(operation)] or (self._is_hlo and operation.opcode in _WITHOUT)):
                    self._known[id(operation)] = inherited

    def _own(self, operation: Operation) -> tuple[Line, ...]:
        frames = operation.frames
        if frames not in self._innermost:
            found = next((frame for frame in frames if self._is_users(frame.file)), None)
            self._innermost[frames] = (Line(found.file, found.line),) if found else ()
        return self._innermost[frames]

    def _inherited(self, block: Block) -> tuple[Line, ...]:
        callers = self._callers.get(id(block), ())
        return tuple(dict.fromkeys(line for caller in callers for line in self._known.get(id(caller), ())))

    def _follow_data(self, block: Block) -> None:
        """A copy or a bitcast XLA made of what it moves; a tuple, and what is left, for what uses it."""
        made = {operation.names[0]: operation for operation in block.operations}
        used: dict[str, Operation] = {}
        for operation in reversed(block.operations):
            used.update(dict.fromkeys(operation.operands, operation))
        for operation in block.operations:
            if self._known[id(operation)] or operation.opcode in (*_WITHOUT, "tuple"):
                continue
            sources = (made[name] for name in operation.operands if name in made)
            found = (self._known[id(source)] for source in sources)
            self._known[id(operation)] = next((lines for lines in found if lines), ())
        for operation in reversed(block.operations):
            user = used.get(operation.names[0])
            if not self._known[id(operation)] and user is not None and operation.opcode not in _WITHOUT:
                self._known[id(operation)] = self._known[id(user)]

    def _fused(self, operation: Operation) -> tuple[Line, ...]:
        """The lines of all that a fusion holds; empty for anything else."""
        if operation.opcode != "fusion":
            return ()
        inside = (one for block in self._called(operation) for one in block.operations)
        return tuple(sorted({line for one in (operation, *inside) for line in self._own(one)}))


def attribute(program: Program, is_users: IsUsers) -> Attribution:
    """`is_users` tells by its path whether a file is one of the user's."""
    return Attribution(program, is_users)


def _callers_first(program: Program, blocks: dict[str, Block]) -> list[Block]:
    """From the entry inwards: a block after each that calls it, or holds it."""
    ordered: list[Block] = []
    seen: set[int] = set()

    def visit(block: Block) -> None:
        if id(block) in seen:
            return
        seen.add(id(block))
        for operation in block.operations:
            for inner in operation.inner:
                visit(inner)
            for name in operation.calls:
                if name in blocks:
                    visit(blocks[name])
        ordered.append(block)

    for block in (program.entry, *program.blocks):
        visit(block)
    return ordered[::-1]
