"""Two programs, compared block by block → rows: what stays, what was removed, what was added."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from jitinspect.ir.program import Block, Program
from jitinspect.readings.diff.alignment import Pairs, filled, refined
from jitinspect.readings.diff.block_statements import Skeleton, Statements
from jitinspect.readings.diff.sides_of_rows import PairOfSides, Sides, Text
from jitinspect.readings.diff.statements import CALLS, DEFINES, Form, options
from jitinspect.readings.diff.structural_hash import Shape, Shared, Structure

Placed = tuple[Statements, int]
_Shapes = tuple[Shape, Shape]


class Row:
    """A statement that both or only one of them has, or a pair in which the second replaces the first."""

    __slots__ = ("_left", "_right", "_sides", "is_same")

    def __init__(self, sides: Sides, left: int | None, right: int | None, is_same: bool = False) -> None:
        """`left` and `right` are the numbers of the statements."""
        self._sides, self._left, self._right, self.is_same = sides, left, right, is_same

    @property
    def is_added(self) -> bool:
        return self._left is None

    @property
    def is_removed(self) -> bool:
        return self._right is None

    @property
    def before(self) -> Text | None:
        return None if self._left is None else self._sides.before(self._left)

    @property
    def after(self) -> Text | None:
        """In the names of the first program where that has some."""
        return None if self._right is None else self._sides.after(self._right)

    @property
    def statements(self) -> tuple[Placed | None, Placed | None]:
        """Both, as the statements of a block and a number in them."""
        left = None if self._left is None else (self._sides.left, self._left)
        return left, None if self._right is None else (self._sides.right, self._right)

    @property
    def renamed(self) -> dict[str, str]:
        """The names of the second statement, and those of the first program for them."""
        if self._right is None:
            return {}
        names = self._sides.right.names_of(self._right)
        return dict(zip(names, self._sides.renamed(self._right), strict=True))

    @property
    def texts(self) -> tuple[Text, Text] | None:
        """Both, if there are both."""
        before, after = self.before, self.after
        return None if before is None or after is None else (before, after)


@dataclass(slots=True)
class BlockRows:
    """The rows of a pair of blocks, or of a block that only one program has; `is_same` if nothing differs."""

    name: str
    rows: list[Row] = field(default_factory=list)
    blocks: tuple[Block | None, Block | None] = (None, None)

    @property
    def is_same(self) -> bool:
        return all(row.is_same for row in self.rows)


def changed_blocks(before: Program, after: Program) -> list[BlockRows]:
    """The blocks in which something differs, the entry first; empty if and only if the programs differ at
    most in names.
    """
    comparison = _Comparison(before, after, with_same=False)
    return [rows for rows in comparison.blocks() if not rows.is_same]


def all_blocks(before: Program, after: Program) -> list[BlockRows]:
    """The same with those in which nothing differs; left out are those that one program has more often."""
    return list(_Comparison(before, after, with_same=True).blocks())


@dataclass(slots=True)
class _Alignment:
    """Two shapes, aligned. `pairs` are of statements, `defined` of the places of the names that they define.
    Each pair is the `same` in all blocks of these shapes, or not; None where that depends on names, or on the
    blocks that they call.
    """

    pairs: Pairs
    defined: Pairs
    same: list[bool | None] | None = None
    is_same: bool = False


class _Comparison:
    """Both programs, and which blocks of one correspond to which of the other."""

    def __init__(self, before: Program, after: Program, with_same: bool) -> None:
        self._with_same = with_same
        shared = Shared()
        self._before, self._after = Structure(before, shared), Structure(after, shared)
        self._partners: dict[int, Block] = {}
        self._taken: dict[int, str] = {}
        self._queue: deque[tuple[Block, Block, Mapping[str, str]]] = deque()
        self._alignments: dict[_Shapes, _Alignment] = {}

    def blocks(self) -> Iterator[BlockRows]:
        first, second = self._before.program, self._after.program
        heads = Sides(_alone(options(first)), _alone(options(second)))
        yield BlockRows("module", [Row(heads, 0, 0, str(heads.before(0)) == str(heads.after(0)))])
        entries = first.entry, second.entry
        is_same = self._before.digest(entries[0]) == self._after.digest(entries[1])
        if is_same and not self._with_same:
            return
        self._pair(*entries, {})
        yield from self._queued()
        if self._with_same:
            self._pair_equal()
            yield from self._queued()
        yield from self._unpaired(first, self._before, is_before=True)
        yield from self._unpaired(second, self._after, is_before=False)

    def _queued(self) -> Iterator[BlockRows]:
        while self._queue:
            yield self._rows(*self._queue.popleft())

    def _pair_equal(self) -> None:
        """Blocks whose callers do not correspond, though they themselves are the same."""
        left: dict[int, list[Block]] = {}
        for block in self._after.program.blocks:
            if id(block) not in self._taken:
                left.setdefault(self._after.digest(block), []).append(block)
        for block in self._before.program.blocks:
            equal = left.get(self._before.digest(block))
            if equal and id(block) not in self._partners:
                self._pair(block, equal.pop(0), {})

    def _pair(self, before: Block, after: Block, around: Mapping[str, str]) -> None:
        """The first pairing of a block is kept."""
        if id(before) not in self._partners and id(after) not in self._taken:
            self._partners[id(before)] = after
            self._taken[id(after)] = before.name
            self._queue.append((before, after, around))

    def _rows(self, before: Block, after: Block, around: Mapping[str, str]) -> BlockRows:
        left, right = self._before.statements[id(before)], self._after.statements[id(after)]
        aligned = self._aligned(before, after)
        parameters = zip(after.parameters, before.parameters, strict=False)
        sides = PairOfSides(left, right, {**around, **dict(parameters)}, aligned.defined, self._block_name)
        same = self._same(before, after, aligned, sides)
        made = BlockRows(_title(before, after), blocks=(before, after))
        if aligned.is_same and not self._with_same:
            return made
        done = (-1, -1)
        for (i, j), is_same in zip(aligned.pairs, same, strict=True):
            made.rows += _between(sides, done, (i, j))
            if is_same is None:
                self._pair_inner(sides, i, j)
                is_same = self._is_same(sides, i, j)
                sides.keep(j)
            made.rows.append(Row(sides, i, j, is_same))
            done = (i, j)
        made.rows += _between(sides, done, (len(left), len(right)))
        return made

    def _same(
        self, before: Block, after: Block, aligned: _Alignment, sides: PairOfSides
    ) -> list[bool | None]:
        """What is known of the pairs in all blocks of these shapes. Those that are not closed are the only
        ones of theirs.
        """
        if aligned.same is None:
            shapes = self._before.shapes[id(before)], self._after.shapes[id(after)]
            if not (shapes[0].is_closed and shapes[1].is_closed):
                return [None] * len(aligned.pairs)
            aligned.same = [
                None if sides.depends_on_names(i, j) else self._is_same(sides, i, j) for i, j in aligned.pairs
            ]
            is_whole = len(sides.left) == len(sides.right) == len(aligned.pairs)
            aligned.is_same = is_whole and all(aligned.same)
        return aligned.same

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
            first, second = self._before.block_of(before), self._after.block_of(after)
            if first is not None and second is not None:
                if self._partners.get(id(first)) is second:
                    return True
                return self._before.digest(first) == self._after.digest(second)
        return kinds[0] == DEFINES or names.get(after, after) == before

    def _pair_inner(self, sides: PairOfSides, i: int, j: int) -> None:
        left, right = sides.left, sides.right
        before, after = left.operation(i), right.operation(j)
        if before is not None and after is not None:
            for one, other in zip(before.inner, after.inner, strict=False):
                self._pair(one, other, sides.names)
        if i in left.skeleton.calling and j in right.skeleton.calling:
            calls = zip(_called(left, i, self._before), _called(right, j, self._after), strict=False)
            for one, other in calls:
                self._pair(one, other, {})

    def _aligned(self, before: Block, after: Block) -> _Alignment:
        shapes = self._before.shapes[id(before)], self._after.shapes[id(after)]
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
            pairs = refined(pairs, self._before.users(before), self._after.users(after))
            for keys in (_with_words, _opcodes):
                pairs = filled(pairs, keys(first.skeleton), keys(second.skeleton))
        return [(i, j) for i, j in pairs if left[i].opcode == right[j].opcode]

    def _block_name(self, name: str) -> str:
        block = self._after.block_of(name)
        partner = None if block is None else self._taken.get(id(block))
        sign = name[:1] if name[:1] in "%@" else ""
        return f"{sign}{partner}" if partner is not None else name

    def _unpaired(self, program: Program, side: Structure, is_before: bool) -> Iterator[BlockRows]:
        """Blocks to which no block of the other program corresponds or is equal."""
        other = self._after if is_before else self._before
        there = {other.digest(block) for block in other.program.blocks}
        for block in program.blocks:
            met = id(block) in (self._partners if is_before else self._taken)
            if met or id(block) not in side.statements or side.digest(block) in there:
                continue
            made = side.statements[id(block)]
            sides, numbers = Sides(made, made), range(len(made))
            rows = [Row(sides, at, None) if is_before else Row(sides, None, at) for at in numbers]
            yield BlockRows(block.name, rows, (block, None) if is_before else (None, block))


def _between(sides: PairOfSides, done: tuple[int, int], pair: tuple[int, int]) -> list[Row]:
    """What only one side has in front of a pair."""
    for at in range(done[1] + 1, pair[1]):
        sides.keep(at)
    removed = [Row(sides, at, None) for at in range(done[0] + 1, pair[0])]
    return removed + [Row(sides, None, at) for at in range(done[1] + 1, pair[1])]


def _alone(form: Form) -> Statements:
    return Statements(Skeleton([form]), ())


def _called(made: Statements, at: int, side: Structure) -> list[Block]:
    calls = zip(made.names_of(at), made.form(at).kinds, strict=True)
    found = (side.block_of(name) for name, kind in calls if kind == CALLS)
    return [block for block in found if block is not None]


def _with_words(skeleton: Skeleton) -> list[tuple[str, tuple[str, ...]]]:
    return [(form.opcode, form.words) for form in skeleton.forms]


def _opcodes(skeleton: Skeleton) -> list[str]:
    return [form.opcode for form in skeleton.forms]


def _title(before: Block, after: Block) -> str:
    return before.name if before.name == after.name else f"{before.name} → {after.name}"
