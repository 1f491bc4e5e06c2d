"""Which lines of Python made an operation.

That is the innermost frame in one of the user's files: those that are not installed. An operation of a
library's inner jit has no such frame, and takes the lines of the user's that call its block. What no line of
the user's called keeps the library's line. Only an HLO instruction without any frame follows the data that it
moves or prepares: a frame that is there is never overruled.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import takewhile
from typing import NamedTuple

from jitinspect.ir.program import Block, Frame, Operation, Program
from jitinspect.process.paths import is_installed

IsUsers = Callable[[str], bool]

MADE_BY_NO_LINE = (
    "parameter", "constant", "stablehlo.constant", "return", "func.return", "stablehlo.return",
)  # fmt: skip
"""Operations that stand for inputs and outputs of a block."""
_HAVE_NO_LINE = ("parameter", "constant")
_PACKAGES = ("site-packages", "dist-packages")
_JITINSPECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


class Line(NamedTuple):
    """A line in a Python file."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def is_users(file: str) -> bool:
    """Whether the file was written by the user: it is neither installed, nor Python's, nor jitinspect's."""
    if is_installed(file) or not _is_file(file):
        return False
    return not any(f"{os.sep}{name}{os.sep}" in file for name in _PACKAGES)  # of another environment


def _is_file(file: str) -> bool:
    """Or a cell of IPython's, which is no file, but has lines."""
    return not file.startswith((_JITINSPECT, "<")) or file.startswith("<ipython-input-")


def _traced(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Those inside the call that jitinspect made, not those of a program that called jitinspect."""
    return takewhile(lambda frame: not frame.file.startswith(_JITINSPECT), frames)


class Innermost:
    """Which of some frames, innermost first, stands for all: the innermost of the user's; failing that, of
    the libraries', where those in the folder of `own`, the target's file, are preferred.
    """

    def __init__(self, own: str | None = None, is_users: IsUsers = is_users) -> None:
        self._is_users = is_users
        self._folder = os.path.dirname(os.path.abspath(own)) + os.sep if own else None

    def __call__(self, frames: Iterable[Frame]) -> Frame | None:
        """None without frames."""
        traced = tuple(_traced(frames))
        ranks = (self._is_users, self.is_near, _is_file)
        return next((frame for rank in ranks for frame in traced if rank(frame.file)), None)

    def is_near(self, file: str) -> bool:
        """Whether the file is of the target's library."""
        return self._folder is not None and file.startswith(self._folder)


class Attribution:
    """The lines of each operation of a program; a fusion has the lines of all instructions in it.

    Of several lines of libraries, the innermost in the folder of `own`, the target's file, is preferred.
    """

    def __init__(self, program: Program, own: str | None = None, is_users: IsUsers = is_users) -> None:
        self._is_users = is_users
        self._innermost = Innermost(own, is_users)
        self._known: dict[int, tuple[Line, ...]] = {}
        self._innermost_of: dict[tuple[Frame, ...], tuple[Line, ...]] = {}
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

    def framed(self, frames: tuple[Frame, ...]) -> tuple[Line, ...]:
        """The line that such frames of an HLO instruction stand for; empty without frames."""
        known = self._innermost_of.get(frames)
        if known is None:
            found = self._innermost(frames)
            known = self._innermost_of[frames] = (Line(found.file, found.line),) if found else ()
        return known

    def stack(self, operation: Operation) -> tuple[Line, ...]:
        """All lines of the user's code on the stack of `operation`, innermost first; empty without frames."""
        return tuple(Line(frame.file, frame.line) for frame in self.users_frames(operation))

    def users_frames(self, operation: Operation) -> tuple[Frame, ...]:
        """The frames of the user's code, innermost first."""
        return tuple(frame for frame in _traced(operation.frames) if self._is_users(frame.file))

    def _called(self, operation: Operation) -> Iterable[Block]:
        return (self._blocks[name] for name in operation.calls if name in self._blocks)

    def _attribute(self, program: Program) -> None:
        """Callers come before the blocks they call, so that lines are inherited all the way down."""
        for block in callers_first(program, self._blocks):
            inherited = self._inherited(block)
            for operation in block.operations:
                self._known[id(operation)] = self._fused(operation) or self._framed(operation, inherited)
            if self._is_hlo:
                self._follow_data(block)
            for operation in block.operations:
                if not (self._known[id(operation)] or (self._is_hlo and operation.opcode in _HAVE_NO_LINE)):
                    self._known[id(operation)] = inherited

    def _framed(self, operation: Operation, inherited: tuple[Line, ...]) -> tuple[Line, ...]:
        """What its frames say: in JAX's own texts they begin at the inner jit, in HLO they are the whole
        stack.
        """
        own = self._own(operation)
        if self._is_hlo or not own or self._is_users(own[0].file):
            return own
        return tuple(line for line in inherited if self._is_users(line.file)) or own

    def _own(self, operation: Operation) -> tuple[Line, ...]:
        return self.framed(operation.frames)

    def _inherited(self, block: Block) -> tuple[Line, ...]:
        callers = self._callers.get(id(block), ())
        return tuple(dict.fromkeys(line for caller in callers for line in self._known.get(id(caller), ())))

    def _follow_data(self, block: Block) -> None:
        """Without a frame, XLA's copies and bitcasts take the lines of their operands, tuples and the rest
        those of their users.
        """
        made = {operation.names[0]: operation for operation in block.operations}
        used: dict[str, Operation] = {}
        for operation in reversed(block.operations):
            used.update(dict.fromkeys(operation.operands, operation))
        lost = [operation for operation in block.operations if self._is_lost(operation)]
        for operation in lost:
            if operation.opcode != "tuple":
                sources = (made[name] for name in operation.operands if name in made)
                found = (self._known[id(source)] for source in sources)
                self._known[id(operation)] = next((lines for lines in found if lines), ())
        for operation in reversed(lost):
            user = used.get(operation.names[0])
            if user is not None and not self._known[id(operation)]:
                self._known[id(operation)] = self._known[id(user)]

    def _is_lost(self, operation: Operation) -> bool:
        is_framed = operation.frames or self._known[id(operation)]
        return not is_framed and operation.opcode not in _HAVE_NO_LINE

    def _fused(self, operation: Operation) -> tuple[Line, ...]:
        """The lines of all instructions in a fusion; empty for anything else."""
        if operation.opcode != "fusion":
            return ()
        inside = (one for block in self._called(operation) for one in block.operations)
        return tuple(sorted({line for one in (operation, *inside) for line in self._own(one)}))


def attribute(program: Program, own: str | None = None, is_users: IsUsers = is_users) -> Attribution:
    """`own` is the target's file; `is_users` says whether a file, given by its path, is the user's."""
    return Attribution(program, own, is_users)


def callers_first(program: Program, blocks: dict[str, Block]) -> list[Block]:
    """From the entry inwards: each block with operations, after those that call or contain it."""
    ordered: list[Block] = []
    visited: set[int] = set()

    def visit(block: Block) -> None:
        if id(block) in visited or not block.operations:
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
