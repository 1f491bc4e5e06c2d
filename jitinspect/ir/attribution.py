"""Which lines of the user's code made an operation.

That is the innermost frame in one of the user's files. An operation without such a frame comes from a library
or from XLA: it takes the lines of the operation that calls its block. An HLO instruction first tries those of
the instructions whose data it moves or prepares.
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
"""Operations that stand for inputs and outputs of a block."""
_HAVE_NO_LINE = ("parameter", "constant")
_JITINSPECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


class Line(NamedTuple):
    """A line in one of the user's files."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def users_files(own: str | None = None) -> IsUsers:
    """A predicate for the user's files: those that neither are installed nor belong to Python. `own` is the
    target's file, whose folder counts as the user's wherever it is.
    """
    folder = os.path.dirname(os.path.abspath(own)) + os.sep if own else None

    def is_users(file: str) -> bool:
        if folder is not None and file.startswith(folder):
            return True
        if is_installed(file) or file.startswith((_JITINSPECT, "<")):
            return False
        return f"{os.sep}site-packages{os.sep}" not in file  # of another environment

    return is_users


class Attribution:
    """The lines of each operation of a program; a fusion has the lines of all instructions in it."""

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
        """The lines of `operation`, more than one if several made it. Empty if none is known."""
        return self._known.get(id(operation), ())

    def stack(self, operation: Operation) -> tuple[Line, ...]:
        """All lines of the user's code on the stack of `operation`, innermost first; empty without frames."""
        return tuple(Line(frame.file, frame.line) for frame in operation.frames if self._is_users(frame.file))

    def _called(self, operation: Operation) -> Iterable[Block]:
        return (self._blocks[name] for name in operation.calls if name in self._blocks)

    def _attribute(self, program: Program) -> None:
        """Callers come before the blocks they call, so that lines are inherited all the way down."""
        for block in _callers_first(program, self._blocks):
            inherited = self._inherited(block)
            for operation in block.operations:
                self._known[id(operation)] = self._fused(operation) or self._own(operation)
            if self._is_hlo:
                self._follow_data(block)
            for operation in block.operations:
                if not (self._known[id(operation)] or (self._is_hlo and operation.opcode in _HAVE_NO_LINE)):
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
        """XLA's copies and bitcasts take the lines of their operands, tuples and the rest those of their
        users.
        """
        made = {operation.names[0]: operation for operation in block.operations}
        used: dict[str, Operation] = {}
        for operation in reversed(block.operations):
            used.update(dict.fromkeys(operation.operands, operation))
        for operation in block.operations:
            if self._known[id(operation)] or operation.opcode in (*_HAVE_NO_LINE, "tuple"):
                continue
            sources = (made[name] for name in operation.operands if name in made)
            found = (self._known[id(source)] for source in sources)
            self._known[id(operation)] = next((lines for lines in found if lines), ())
        for operation in reversed(block.operations):
            user = used.get(operation.names[0])
            if not self._known[id(operation)] and user is not None and operation.opcode not in _HAVE_NO_LINE:
                self._known[id(operation)] = self._known[id(user)]

    def _fused(self, operation: Operation) -> tuple[Line, ...]:
        """The lines of all instructions in a fusion; empty for anything else."""
        if operation.opcode != "fusion":
            return ()
        inside = (one for block in self._called(operation) for one in block.operations)
        return tuple(sorted({line for one in (operation, *inside) for line in self._own(one)}))


def attribute(program: Program, is_users: IsUsers) -> Attribution:
    """`is_users` says whether a file, given by its path, is one of the user's."""
    return Attribution(program, is_users)


def _callers_first(program: Program, blocks: dict[str, Block]) -> list[Block]:
    """From the entry inwards: each block after those that call or contain it."""
    ordered: list[Block] = []
    visited: set[int] = set()

    def visit(block: Block) -> None:
        if id(block) in visited:
            return
        visited.add(id(block))
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
