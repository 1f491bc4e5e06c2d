"""Which lines of Python made an operation.

That is the innermost frame in one of the user's files: those that are not installed. An operation of a
library's inner jit has no such frame, and takes the lines of the user's that call its block. What no line of
the user's called keeps the library's line. Only an HLO instruction without any frame follows the data that it
moves or prepares: a frame that is there is never overruled.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cached_property
from itertools import takewhile
from typing import NamedTuple

from jitinspect.ir.program import Block, Frame, Operation, Program, within
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


LinesOf = list[tuple[Line, ...]]
"""The lines that made each operation of a block, in their order."""


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
        self._program = program
        self._is_users = is_users
        self._innermost = Innermost(own, is_users)
        self._innermost_of: dict[int, tuple[tuple[Frame, ...], tuple[Line, ...]]] = {}
        self._blocks = program.named()
        self._is_hlo = program.stage == "hlo"
        self._lines: dict[int, LinesOf] = {}
        self._known: dict[int, tuple[Line, ...]] = {}
        self._fused: dict[tuple[int, int], tuple[Line, ...]] = {}
        self._attribute()

    def lines(self, operation: Operation) -> tuple[Line, ...]:
        """The lines of `operation`, more than one if several made it. Empty if none is known."""
        if id(operation) not in self._known:
            self._know(operation)
        return self._known.get(id(operation), ())

    def of(self, block: Block) -> LinesOf:
        """The lines of its operations, in their order. Blocks that are alike share a list where they can, so
        that what follows from it need be worked out once.
        """
        return self._lines[id(block)]

    def counts(self, but: Collection[str] = ()) -> Counter[tuple[Line, ...]]:
        """How many operations the same lines made, without those of some opcodes."""
        found: Counter[tuple[Line, ...]] = Counter()
        for lines, blocks in self.alike():
            for operation, made_by in zip(blocks[0].operations, lines, strict=True):
                if operation.opcode not in but:
                    found[made_by] += len(blocks)
        return found

    def alike(self) -> list[tuple[LinesOf, list[Block]]]:
        """All blocks, those together that are alike and have the same lines, in the order of the first."""
        found: dict[tuple[int, int], tuple[LinesOf, list[Block]]] = {}
        for block in self._program.all_blocks():
            lines = self.of(block)
            found.setdefault((id(block.model), id(lines)), (lines, []))[1].append(block)
        return list(found.values())

    def _know(self, operation: Operation) -> None:
        """Looks at the block that begins before its line, and where that has it not, at all others, once."""
        starts, blocks = self._unknown
        place = bisect_right(starts, operation.start) - 1
        for at in (place, *range(len(blocks))) if blocks else ():
            block, blocks[at] = blocks[at], None
            for one in within(block) if block else ():
                self._known.update(zip(map(id, one.operations), self.of(one), strict=True))
            if id(operation) in self._known:
                return
        blocks.clear()

    @cached_property
    def _unknown(self) -> tuple[list[int], list[Block | None]]:
        """Where the program's blocks begin, and those whose operations are not yet in `_known`."""
        blocks = sorted(self._program.blocks, key=lambda block: block.start)
        return [block.start for block in blocks], list(blocks)

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

    def _attribute(self) -> None:
        """Callers come before the blocks they call, so that lines are inherited all the way down."""
        callers: dict[int, list[tuple[Block, int]]] = {}
        for block in self._program.all_blocks():
            for at, called in block.reached(self._blocks):
                callers.setdefault(id(called), []).append((block, at))
        found: dict[tuple[int, tuple[Line, ...]], LinesOf] = {}
        for block in callers_first(self._program, self._blocks):
            inherited = self._inherited(callers.get(id(block), ()))
            key = id(block.model), inherited
            if key not in found:
                found[key] = self._of_block(block.model, inherited)
            self._lines[id(block)] = found[key]
        for block in self._program.all_blocks():
            self._lines.setdefault(id(block), [])

    def _inherited(self, callers: Iterable[tuple[Block, int]]) -> tuple[Line, ...]:
        return tuple(dict.fromkeys(line for block, at in callers for line in self._lines[id(block)][at]))

    def _of_block(self, block: Block, inherited: tuple[Line, ...]) -> LinesOf:
        framed: dict[int, tuple[Line, ...]] = {}
        found: LinesOf = []
        fused = dict(block.reached(self._blocks)) if self._is_hlo else {}
        for at, operation in enumerate(block.operations):
            lines = self._of_fusion(operation, fused.get(at)) if operation.opcode == "fusion" else ()
            if not lines and (lines := framed.get(id(operation.frames))) is None:  # type: ignore[assignment]
                lines = framed[id(operation.frames)] = self._framed(operation.frames, inherited)
            found.append(lines)
        if self._is_hlo:
            self._follow_data(block, found)
        if inherited:
            for at, operation in enumerate(block.operations):
                if not (found[at] or (self._is_hlo and operation.opcode in _HAVE_NO_LINE)):
                    found[at] = inherited
        return found

    def _framed(self, frames: tuple[Frame, ...], inherited: tuple[Line, ...]) -> tuple[Line, ...]:
        """What they say: in JAX's own texts they begin at the inner jit, in HLO they are the whole stack."""
        own = self.framed(frames)
        if self._is_hlo or not own or self._is_users(own[0].file):
            return own
        return tuple(line for line in inherited if self._is_users(line.file)) or own

    def _follow_data(self, block: Block, known: LinesOf) -> None:
        """Without a frame, XLA's copies and bitcasts take the lines of their operands, tuples and the rest
        those of their users.
        """
        operations = block.operations
        lost = [
            at
            for at, one in enumerate(operations)
            if not (one.frames or known[at] or one.opcode in _HAVE_NO_LINE)
        ]
        if not lost:
            return
        made = {one.names[0]: at for at, one in enumerate(operations)}
        used: dict[str, int] = {}
        for at in reversed(range(len(operations))):
            used.update(dict.fromkeys(operations[at].operands, at))
        for at in lost:
            if operations[at].opcode != "tuple":
                found = (known[made[name]] for name in operations[at].operands if name in made)
                known[at] = next((lines for lines in found if lines), ())
        for at in reversed(lost):
            user = used.get(operations[at].names[0])
            if user is not None and not known[at]:
                known[at] = known[user]

    def _of_fusion(self, fusion: Operation, called: Block | None) -> tuple[Line, ...]:
        """The lines of all instructions in a fusion."""
        model = called.model if called else None
        key = id(fusion.frames), id(model)
        if key not in self._fused:
            inside = model.operations if model else ()
            stacks = {id(one.frames): one.frames for one in (fusion, *inside)}
            lines = {line for frames in stacks.values() for line in self.framed(frames)}
            self._fused[key] = tuple(sorted(lines))
        return self._fused[key]


def attribute(program: Program, own: str | None = None, is_users: IsUsers = is_users) -> Attribution:
    """`own` is the target's file; `is_users` says whether a file, given by its path, is the user's."""
    return Attribution(program, own, is_users)


def callers_first(program: Program, blocks: dict[str, Block]) -> list[Block]:
    """From the entry inwards: each block with operations, after those that call or contain it."""
    ordered: list[Block] = []
    visited: set[int] = set()

    def visit(block: Block) -> None:
        if id(block) in visited or not block.model.operations:
            return
        visited.add(id(block))
        for _, inner in block.reached(blocks):
            visit(inner)
        ordered.append(block)

    for block in (program.entry, *program.blocks):
        visit(block)
    return ordered[::-1]
