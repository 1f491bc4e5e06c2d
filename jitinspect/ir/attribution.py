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
        self._innermost_of: dict[int, tuple[tuple[Frame, ...], tuple[Line, ...]]] = {}
        self._blocks = program.named()
        self._callers: dict[int, list[Operation]] = {}
        self._is_hlo = program.stage == "hlo"
        for operation in program.operations():
            if operation.inner or operation.calls:
                for block in (*operation.inner, *self._called(operation)):
                    self._callers.setdefault(id(block), []).append(operation)
        self._attribute(program)

    def lines(self, operation: Operation) -> tuple[Line, ...]:
        """The lines of `operation`, more than one if several made it. Empty if none is known."""
        return self._known.get(id(operation), ())

    def framed(self, frames: tuple[Frame, ...]) -> tuple[Line, ...]:
        """The line that such frames of an HLO instruction stand for; empty without frames.

        Operations share their tuples of frames, which are long: each is looked up by its identity, and kept.
        """
        known = self._innermost_of.get(id(frames))
        if known is None:
            found = self._innermost(frames)
            lines = (Line(found.file, found.line),) if found else ()
            known = self._innermost_of[id(frames)] = frames, lines
        return known[1]

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
        known = self._known
        for block in callers_first(program, self._blocks):
            inherited = self._inherited(block)
            framed: dict[int, tuple[Line, ...]] = {}
            for operation in block.operations:
                lines = self._fused(operation) if operation.opcode == "fusion" else ()
                if not lines and (lines := framed.get(id(operation.frames))) is None:  # type: ignore[assignment]
                    lines = framed[id(operation.frames)] = self._framed(operation.frames, inherited)
                known[id(operation)] = lines
            if self._is_hlo:
                self._follow_data(block)
            if inherited:
                for operation in block.operations:
                    if not (known[id(operation)] or (self._is_hlo and operation.opcode in _HAVE_NO_LINE)):
                        known[id(operation)] = inherited

    def _framed(self, frames: tuple[Frame, ...], inherited: tuple[Line, ...]) -> tuple[Line, ...]:
        """What they say: in JAX's own texts they begin at the inner jit, in HLO they are the whole stack."""
        own = self.framed(frames)
        if self._is_hlo or not own or self._is_users(own[0].file):
            return own
        return tuple(line for line in inherited if self._is_users(line.file)) or own

    def _inherited(self, block: Block) -> tuple[Line, ...]:
        callers = self._callers.get(id(block), ())
        return tuple(dict.fromkeys(line for caller in callers for line in self._known.get(id(caller), ())))

    def _follow_data(self, block: Block) -> None:
        """Without a frame, XLA's copies and bitcasts take the lines of their operands, tuples and the rest
        those of their users.
        """
        known = self._known
        unframed = [one for one in block.operations if not (one.frames or known[id(one)])]
        lost = [one for one in unframed if one.opcode not in _HAVE_NO_LINE]
        if not lost:
            return
        made = {operation.names[0]: operation for operation in block.operations}
        used: dict[str, Operation] = {}
        for operation in reversed(block.operations):
            used.update(dict.fromkeys(operation.operands, operation))
        for operation in lost:
            if operation.opcode != "tuple":
                sources = (made[name] for name in operation.operands if name in made)
                found = (self._known[id(source)] for source in sources)
                self._known[id(operation)] = next((lines for lines in found if lines), ())
        for operation in reversed(lost):
            user = used.get(operation.names[0])
            if user is not None and not self._known[id(operation)]:
                self._known[id(operation)] = self._known[id(user)]

    def _fused(self, fusion: Operation) -> tuple[Line, ...]:
        """The lines of all instructions in a fusion."""
        stacks = {id(fusion.frames): fusion.frames}
        for block in self._called(fusion):
            stacks.update((id(one.frames), one.frames) for one in block.operations)
        return tuple(sorted({line for frames in stacks.values() for line in self.framed(frames)}))


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
