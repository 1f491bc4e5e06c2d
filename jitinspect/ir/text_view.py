"""A program's text with some of its lines left out, said in other words, or with a word before them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from jitinspect.ir.program import Block, Operation, Program

GAP = "…"


@dataclass(slots=True)
class TextView:
    """`shown` is what is to be seen of the lines, all where it is None; a gap has a line of its own."""

    program: Program
    shown: set[int] | None = None
    instead: dict[int, str] = field(default_factory=dict)
    dropped: set[int] = field(default_factory=set)
    before: dict[int, list[str]] = field(default_factory=dict)

    def show(
        self, operations: Iterable[Operation], parents: dict[int, tuple[Block, Operation | None]]
    ) -> None:
        """Show these operations, whole, and the heads and feet of what they stand in."""
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
        in_gap = False
        for number, line in enumerate(self.program.lines):
            if number in self.dropped:
                continue
            if self.shown is not None and number not in self.shown:
                if line.strip() and not in_gap:
                    in_gap = True
                    yield indent(line) + GAP
                continue
            in_gap = False
            for text in self.before.get(number, ()):
                yield indent(line) + text
            yield self.instead.get(number, line)


def indent(line: str) -> str:
    """The blanks that a line begins with."""
    return line[: len(line) - len(line.lstrip())]


def parents(program: Program) -> dict[int, tuple[Block, Operation | None]]:
    """By the `id` of an operation: the block that it stands in, and the operation that holds that block."""
    found: dict[int, tuple[Block, Operation | None]] = {}

    def visit(block: Block, holder: Operation | None) -> None:
        for operation in block.operations:
            found[id(operation)] = (block, holder)
            for inner in operation.inner:
                visit(inner, operation)

    for block in program.blocks:
        visit(block, None)
    return found
