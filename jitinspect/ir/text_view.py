"""A program's text with some of its lines hidden, replaced, or with comments above them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from jitinspect.ir.program import Block, Operation, Program

GAP = "…"


@dataclass(slots=True)
class TextView:
    """`shown` are the visible lines, all if it is None; a gap in them takes a line. `dropped` lines vanish
    without one, `replaced` lines have another text, `comments` are put above a line.
    """

    program: Program
    shown: set[int] | None = None
    replaced: dict[int, str] = field(default_factory=dict)
    dropped: set[int] = field(default_factory=set)
    comments: dict[int, list[str]] = field(default_factory=dict)

    def show(
        self, operations: Iterable[Operation], parents: dict[int, tuple[Block, Operation | None]]
    ) -> None:
        """Show these operations in full, and the heads and feet of the blocks around them."""
        self.shown = self.shown or set()
        for operation in operations:
            self.shown.update(range(operation.start, operation.end))
            holder: Operation | None = operation
            while holder is not None:
                block, holder = parents[id(holder)]
                self.shown.update((*range(block.start, block.operations[0].start), block.end - 1))
                if holder is not None:
                    self.shown |= {holder.start, holder.end - 1}

    def text(self) -> str:
        return "\n".join(self._rows())

    def _rows(self) -> Iterator[str]:
        if self.shown is None:
            for number, line in enumerate(self.program.lines):
                yield from self._row(number, line)
            return
        lines, end = self.program.lines, 0
        for number in sorted(self.shown - self.dropped):
            yield from self._gap(range(end, number))
            yield from self._row(number, lines[number])
            end = number + 1
        yield from self._gap(range(end, len(lines)))

    def _gap(self, hidden: range) -> Iterator[str]:
        """What stands for lines that are not shown: nothing, if they are empty."""
        lines = (self.program.lines[number] for number in hidden if number not in self.dropped)
        yield from islice((indent(line) + GAP for line in lines if line.strip()), 1)

    def _row(self, number: int, line: str) -> Iterator[str]:
        if number not in self.dropped:
            for text in self.comments.get(number, ()):
                yield indent(line) + text
            yield self.replaced.get(number, line)


def indent(line: str) -> str:
    """The spaces at the start of a line."""
    return line[: len(line) - len(line.lstrip())]


def parents(program: Program, chosen: Iterable[Operation]) -> dict[int, tuple[Block, Operation | None]]:
    """`id` of an operation → the block that contains it, and the operation that contains that block: at least
    for those that are chosen, and for what they are in.
    """
    found: dict[int, tuple[Block, Operation | None]] = {}
    lines = sorted({one.start for one in chosen})

    def visit(block: Block, holder: Operation | None) -> None:
        if bisect_left(lines, block.start) == bisect_left(lines, block.end):
            return
        for operation in block.operations:
            found[id(operation)] = (block, holder)
            for inner in operation.inner:
                visit(inner, operation)

    for block in program.blocks:
        visit(block, None)
    return found
