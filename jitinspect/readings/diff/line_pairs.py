"""Which line of one program's text corresponds to which of the other's, by how their statements do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jitinspect.ir.program import Block, Program
from jitinspect.readings.diff.alignment import Pairs, filled
from jitinspect.readings.diff.block_rows import BlockRows, Placed, Row

Lines = Sequence[int]
Names = Mapping[str, str]


@dataclass(slots=True)
class LinePairs:
    """`partners` of lines of the first program, and those of them that may have `changed`, with the first
    program's names for those of the second one. Lines of one program alone are `gone` or `came`.
    """

    partners: dict[int, int] = field(default_factory=dict)
    changed: dict[int, Names] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    came: set[int] = field(default_factory=set)


def line_pairs(before: Program, after: Program, blocks: Sequence[BlockRows]) -> LinePairs:
    """`blocks` are all of a comparison."""
    reader = _Reader(before.lines, after.lines)
    reader.read_heads(before.head, after.head)
    for block in blocks:
        reader.read(block)
    return reader.found


class _Reader:
    def __init__(self, before: Sequence[str], after: Sequence[str]) -> None:
        self._before, self._after = before, after
        self._taken: set[int] = set()
        self.found = LinePairs()

    def read_heads(self, before: str, after: str) -> None:
        """The lines that describe the modules, whose names do not matter."""
        if before and after:
            names = {_module_name(after): _module_name(before)}
            self._pair([self._before.index(before)], [self._after.index(after)], names)

    def read(self, rows: BlockRows) -> None:
        first, second = rows.blocks
        for row in rows.rows:
            self._read_row(row)
        if first is not None and second is not None:
            names = _of_blocks(first, second)
            for left, right in zip(_edges(first), _edges(second), strict=True):
                self._pair(left, right, names)
        elif first is not None:
            self.found.gone.update(range(first.start, first.end))
        elif second is not None:
            self.found.came.update(range(second.start, second.end))

    def _read_row(self, row: Row) -> None:
        first, second = row.statements
        if first is None:
            self.found.came.update(_lines(second))
        elif second is None:
            self.found.gone.update(_lines(first))
        else:
            self._pair(_lines(first), _lines(second), None if row.is_same else row.renamed)

    def _pair(self, left: Lines, right: Lines, names: Names | None) -> None:
        """`names` is None if nothing differs. The first pairing of a line is kept."""
        for at, to in self._aligned(left, right):
            before, after = left[at], right[to]
            if self.found.partners.get(before, after) != after:
                continue
            if before not in self.found.partners and after in self._taken:
                continue
            self._taken.add(after)
            self.found.partners[before] = after
            if names is not None:
                self.found.changed.setdefault(before, names)

    def _aligned(self, left: Lines, right: Lines) -> Pairs:
        """One by one; where one side has more lines, by their texts, but for the first and the last."""
        if len(left) == len(right):
            return [(at, at) for at in range(len(left))]
        if not left or not right:
            return []
        texts = [self._before[at].strip() for at in left], [self._after[at].strip() for at in right]
        ends = {(0, 0), (len(left) - 1, len(right) - 1)} if min(len(left), len(right)) > 1 else {(0, 0)}
        return filled(sorted(ends), *texts)


def _lines(placed: Placed | None) -> Lines:
    """Of an operation its own, without those of blocks in it, but for their heads and feet."""
    statements, at = placed or (None, 0)
    if statements is None or statements.block is None:
        return ()
    operation = statements.operation(at)
    if operation is None:
        return _edges(statements.block)[at >= statements.first]
    inner = {line for one in operation.inner for line in range(one.start + 1, one.end - 1)}
    return [line for line in range(operation.start, operation.end) if line not in inner]


def _edges(block: Block) -> tuple[Lines, Lines]:
    """The lines above its first operation, and those below its last one."""
    if not block.operations:
        return range(block.start, block.end), ()
    return range(block.start, block.operations[0].start), range(block.operations[-1].end, block.end)


def _module_name(head: str) -> str:
    return head.partition(" ")[2].partition(" ")[0].rstrip(",")


def _of_blocks(before: Block, after: Block) -> Names:
    """The names of the second block and of its parameters, with the signs that texts may put before them."""
    pairs = [(after.name, before.name), *zip(after.parameters, before.parameters, strict=False)]
    return {f"{sign}{new}": f"{sign}{old}" for new, old in pairs for sign in ("", "%", "@")}
