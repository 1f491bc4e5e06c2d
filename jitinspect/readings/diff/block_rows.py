"""Two programs, compared block by block → rows: what stays, what was removed, what was added."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jitinspect.ir.program import Block, Program
from jitinspect.readings.diff.alignment import Pairs, filled, refined
from jitinspect.readings.diff.block_statements import Skeleton, Statements
from jitinspect.readings.diff.row_layouts import Layout, Numbers, shown_places
from jitinspect.readings.diff.sides_of_rows import PairOfSides, Sides
from jitinspect.readings.diff.statements import CALLS, DEFINES, Form, options
from jitinspect.readings.diff.structural_hash import Shape, Shared, Structure

Placed = tuple[Statements, int]
_Shapes = tuple[Shape, Shape]


@dataclass(frozen=True, slots=True)
class Row:
    """A statement that both or only one of them has, or a pair in which the second replaces the first."""

    sides: Sides
    numbers: Numbers
    is_same: bool

    @property
    def statements(self) -> tuple[Placed | None, Placed | None]:
        """Both, as the statements of a block and a number in them."""
        left, right = self.numbers
        return (
            None if left is None else (self.sides.left, left),
            None if right is None else (self.sides.right, right),
        )

    @property
    def renamed(self) -> dict[str, str]:
        """The names of the second statement, and those of the first program for them."""
        _, right = self.numbers
        if right is None:
            return {}
        return dict(zip(self.sides.right.names_of(right), self.sides.renamed(right), strict=True))


@dataclass(slots=True)
class BlockRows:
    """The rows of a pair of blocks, or of a block that only one program has."""

    name: str
    sides: Sides
    layout: Layout
    blocks: tuple[Block | None, Block | None] = (None, None)

    @property
    def rows(self) -> list[Row]:
        layout = self.layout
        return [Row(self.sides, *one) for one in zip(layout.rows, layout.same, strict=True)]

    @property
    def is_same(self) -> bool:
        return not self.layout.changes


@dataclass(slots=True)
class _Alignment:
    """Two shapes, aligned. `pairs` are of statements, `defined` of the places of the names that they define.
    The `layout` is that of all blocks of these shapes, if it is known that they have the same one.
    """

    pairs: Pairs
    defined: Pairs
    layout: Layout | None = None


class Comparison:
    """Both programs, and which blocks of one correspond to which of the other."""

    def __init__(self, before: Program, after: Program) -> None:
        shared = Shared()
        self.before = Structure(before, shared)
        self.after = self.before if after is before else Structure(after, shared)
        self._partners: dict[int, Block] = {}
        self._taken: dict[int, str] = {}
        self._queue: deque[tuple[Block, Block, Mapping[str, str]]] = deque()
        self._alignments: dict[_Shapes, _Alignment] = {}

    @property
    def sides(self) -> tuple[Structure, Structure]:
        return self.before, self.after

    def changed_blocks(self) -> list[BlockRows]:
        """The blocks in which something differs, the entry first; empty if and only if the programs differ at
        most in names.
        """
        if self.after is self.before:
            return []
        return [rows for rows in self._blocks(with_same=False) if not rows.is_same]

    def all_blocks(self) -> list[BlockRows]:
        """The same with those in which nothing differs; without those that one program has more often."""
        return list(self._blocks(with_same=True))

    def _blocks(self, with_same: bool) -> Iterator[BlockRows]:
        first, second = self.before.program, self.after.program
        heads = Sides(_alone(options(first)), _alone(options(second)))
        yield BlockRows("module", heads, Layout([(0, 0)], [heads.left.text(0) == heads.right.text(0)]))
        entries = first.entry, second.entry
        is_same = self.before.digest(entries[0]) == self.after.digest(entries[1])
        if is_same and not with_same:
            return
        self._pair(*entries, {})
        yield from self._queued()
        if with_same:
            self._pair_equal()
            yield from self._queued()
        yield from self._unpaired(first, self.before, is_before=True)
        yield from self._unpaired(second, self.after, is_before=False)

    def _queued(self) -> Iterator[BlockRows]:
        while self._queue:
            yield self._rows(*self._queue.popleft())

    def _pair_equal(self) -> None:
        """Blocks whose callers do not correspond, though they themselves are the same."""
        left: dict[int, list[Block]] = {}
        for block in self.after.program.blocks:
            if id(block) not in self._taken:
                left.setdefault(self.after.digest(block), []).append(block)
        for block in self.before.program.blocks:
            equal = left.get(self.before.digest(block))
            if equal and id(block) not in self._partners:
                self._pair(block, equal.pop(0), {})

    def _pair(self, before: Block, after: Block, around: Mapping[str, str]) -> None:
        """The first pairing of a block is kept."""
        if id(before) not in self._partners and id(after) not in self._taken:
            self._partners[id(before)] = after
            self._taken[id(after)] = before.name
            self._queue.append((before, after, around))

    def _rows(self, before: Block, after: Block, around: Mapping[str, str]) -> BlockRows:
        left, right = self.before.statements[id(before)], self.after.statements[id(after)]
        aligned = self._aligned(before, after)
        parameters = zip(after.parameters, before.parameters, strict=False)
        sides = PairOfSides(left, right, {**around, **dict(parameters)}, aligned.defined, self._block_name)
        layout = aligned.layout or self._layout(aligned, sides)
        return BlockRows(_title(before, after), sides, layout, (before, after))

    def _layout(self, aligned: _Alignment, sides: PairOfSides) -> Layout:
        """Pairs what the statements call, too, and what is inside them."""
        rows: list[Numbers] = []
        same: list[bool] = []
        done = (-1, -1)
        for i, j in [*aligned.pairs, (len(sides.left), len(sides.right))]:
            alone = _between(sides, done, (i, j))
            rows += alone
            same += [False] * len(alone)
            if i < len(sides.left):
                self._pair_inner(sides, i, j)
                rows.append((i, j))
                same.append(self._is_same(sides, i, j))
                sides.keep(j)
            done = (i, j)
        found = Layout(rows, same, shown_places(sides))
        if found.shown is not None:
            aligned.layout = found
        return found

    def _is_same(self, sides: PairOfSides, i: int, j: int) -> bool:
        before, after = sides.left.form(i), sides.right.form(j)
        if before is not after and before.words != after.words:
            return False
        kinds = zip(before.kinds, after.kinds, strict=True)
        pairs = zip(sides.left.names_of(i), sides.right.names_of(j), kinds, strict=True)
        return all(self._is_same_name(one, other, kinds, sides.names) for one, other, kinds in pairs)

    def _is_same_name(
        self, before: str, after: str, kinds: tuple[str, str], names: Mapping[str, str]
    ) -> bool:
        if kinds == (CALLS, CALLS):
            first, second = self.before.block_of(before), self.after.block_of(after)
            if first is not None and second is not None:
                if self._partners.get(id(first)) is second:
                    return True
                return self.before.digest(first) == self.after.digest(second)
        return kinds[0] == DEFINES or names.get(after, after) == before

    def _pair_inner(self, sides: PairOfSides, i: int, j: int) -> None:
        left, right = sides.left, sides.right
        for one, other in zip(left.inner(i), right.inner(j), strict=False):
            self._pair(one, other, sides.names)
        if i in left.skeleton.calling and j in right.skeleton.calling:
            calls = zip(_called(left, i, self.before), _called(right, j, self.after), strict=False)
            for one, other in calls:
                self._pair(one, other, {})

    def _aligned(self, before: Block, after: Block) -> _Alignment:
        shapes = self.before.shapes[id(before)], self.after.shapes[id(after)]
        if shapes not in self._alignments:
            pairs = self._pairs(before, after, *shapes)
            left, right = (one.skeleton.defined for one in shapes)
            defined = [pair for i, j in pairs for pair in zip(left[i], right[j], strict=False)]
            self._alignments[shapes] = _Alignment(pairs, defined)
        return self._alignments[shapes]

    def _pairs(self, before: Block, after: Block, first: Shape, second: Shape) -> Pairs:
        """Aligned first by all that statements are computed from, then by less and less of it."""
        left, right = first.skeleton.forms, second.skeleton.forms
        pairs = refined([], first.exact, second.exact)
        pairs = refined(pairs, first.opcodes, second.opcodes)
        if len(pairs) < max(len(left), len(right)):
            pairs = refined(pairs, self.before.users(before), self.after.users(after))
            for keys in (_with_words, _opcodes):
                pairs = filled(pairs, keys(first.skeleton), keys(second.skeleton))
        return [(i, j) for i, j in pairs if left[i].opcode == right[j].opcode]

    def _block_name(self, name: str) -> str:
        block = self.after.block_of(name)
        partner = None if block is None else self._taken.get(id(block))
        sign = name[:1] if name[:1] in "%@" else ""
        return f"{sign}{partner}" if partner is not None else name

    def _unpaired(self, program: Program, side: Structure, is_before: bool) -> Iterator[BlockRows]:
        """Blocks to which no block of the other program corresponds or is equal."""
        other = self.after if is_before else self.before
        there = {other.digest(block) for block in other.program.blocks}
        for block in program.blocks:
            met = id(block) in (self._partners if is_before else self._taken)
            if met or id(block) not in side.statements or side.digest(block) in there:
                continue
            made = side.statements[id(block)]
            numbers = range(len(made))
            rows: list[Numbers] = [(at, None) if is_before else (None, at) for at in numbers]
            layout = Layout(rows, [False] * len(rows))
            yield BlockRows(
                block.name, Sides(made, made), layout, (block, None) if is_before else (None, block)
            )


def _between(sides: PairOfSides, done: tuple[int, int], pair: tuple[int, int]) -> list[Numbers]:
    """What only one side has in front of a pair."""
    added = range(done[1] + 1, pair[1])
    for at in added:
        sides.keep(at)
    return [*((at, None) for at in range(done[0] + 1, pair[0])), *((None, at) for at in added)]


def _alone(form: Form) -> Statements:
    return Statements(Skeleton([form]), ())


def _called(made: Statements, at: int, side: Structure) -> list[Block]:
    return [block for name in made.called(at) if (block := side.block_of(name)) is not None]


def _with_words(skeleton: Skeleton) -> list[tuple[str, tuple[str, ...]]]:
    return [(form.opcode, form.words) for form in skeleton.forms]


def _opcodes(skeleton: Skeleton) -> list[str]:
    return [form.opcode for form in skeleton.forms]


def _title(before: Block, after: Block) -> str:
    return before.name if before.name == after.name else f"{before.name} → {after.name}"
