"""Two programs, compared block by block → rows: what stays, what was removed, what was added."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field

from jitinspect.ir.program import Block, Program
from jitinspect.readings.diff.alignment import Pairs, filled, refined
from jitinspect.readings.diff.statements import Name, Statement, options
from jitinspect.readings.diff.structural_hash import Interner, Structure

Rename = Callable[[Name], str]


@dataclass(frozen=True, slots=True)
class Row:
    """A statement that both or only one of them has, or a pair in which the second replaces the first.

    Both texts use the names of the first program wherever it has one. `statements` are the two themselves.
    """

    before: str | None
    after: str | None
    is_same: bool = False
    statements: tuple[Statement | None, Statement | None] = (None, None)


@dataclass(slots=True)
class BlockRows:
    """The rows of a pair of blocks, or of a block that only one program has; `is_same` if nothing differs.
    `rename` maps the second program's names to the first's.
    """

    name: str
    rows: list[Row] = field(default_factory=list)
    blocks: tuple[Block | None, Block | None] = (None, None)
    rename: Rename = Name.itself

    @property
    def is_same(self) -> bool:
        return all(row.is_same for row in self.rows)


def changed_blocks(before: Program, after: Program) -> list[BlockRows]:
    """The blocks in which something differs, the entry first; empty if and only if the programs differ at
    most in names.
    """
    comparison = _Comparison(before, after)
    return [rows for rows in comparison.blocks(with_same=False) if not rows.is_same]


def all_blocks(before: Program, after: Program) -> list[BlockRows]:
    """The same with those in which nothing differs; left out are those that one program has more often."""
    return list(_Comparison(before, after).blocks(with_same=True))


class _Comparison:
    """Both programs, and which blocks of one correspond to which of the other."""

    def __init__(self, before: Program, after: Program) -> None:
        interner = Interner()
        self._before, self._after = Structure(before, interner), Structure(after, interner)
        self._partners: dict[int, Block] = {}
        self._taken: dict[int, str] = {}
        self._queue: list[tuple[Block, Block, dict[str, str]]] = []

    def blocks(self, with_same: bool) -> Iterator[BlockRows]:
        first, second = self._before.program, self._after.program
        heads = options(first).text(), options(second).text()
        yield BlockRows("module", [Row(*heads, heads[0] == heads[1])])
        entries = first.entry, second.entry
        is_same = self._before.digest(entries[0]) == self._after.digest(entries[1])
        if is_same and not with_same:
            return
        self._pair(*entries, {})
        yield from self._queued()
        if with_same:
            self._pair_equal()
            yield from self._queued()
        yield from self._alone(first, self._before, is_before=True)
        yield from self._alone(second, self._after, is_before=False)

    def _queued(self) -> Iterator[BlockRows]:
        while self._queue:
            yield self._rows(*self._queue.pop(0))

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

    def _pair(self, before: Block, after: Block, around: dict[str, str]) -> None:
        """The first pairing of a block is kept."""
        if id(before) not in self._partners and id(after) not in self._taken:
            self._partners[id(before)] = after
            self._taken[id(after)] = before.name
            self._queue.append((before, after, around))

    def _rows(self, before: Block, after: Block, around: dict[str, str]) -> BlockRows:
        left, right = self._before.statements[id(before)], self._after.statements[id(after)]
        pairs = self._aligned(before, after)
        names = {**around, **dict(zip(after.parameters, before.parameters, strict=False))}
        for i, j in pairs:
            names.update(zip(_defined(right[j]), _defined(left[i]), strict=False))
        rename = self._renaming(names, left)
        made = BlockRows(_title(before, after), blocks=(before, after), rename=rename)
        done = (-1, -1)
        for i, j in [*pairs, (len(left), len(right))]:
            made.rows += map(_gone, left[done[0] + 1 : i])
            made.rows += (_came(one, rename) for one in right[done[1] + 1 : j])
            if i < len(left):
                made.rows.append(self._row(left[i], right[j], names, rename))
            done = (i, j)
        return made

    def _row(self, before: Statement, after: Statement, names: dict[str, str], rename: Rename) -> Row:
        self._pair_inner(before, after, names)
        is_same = before.words == after.words and all(
            self._is_same_name(one, other, names)
            for one, other in zip(before.names, after.names, strict=False)
        )
        is_same = is_same and len(before.names) == len(after.names)
        text = before.text()
        return Row(text, text if is_same else after.text(rename), is_same, (before, after))

    def _is_same_name(self, before: Name, after: Name, names: dict[str, str]) -> bool:
        first, second = self._before.block_of(before), self._after.block_of(after)
        if first is not None and second is not None:
            if self._partners.get(id(first)) is second:
                return True
            return self._before.digest(first) == self._after.digest(second)
        return before.kind == "def" or names.get(after.text, after.text) == before.text

    def _pair_inner(self, before: Statement, after: Statement, names: dict[str, str]) -> None:
        if before.operation is not None and after.operation is not None:
            for one, other in zip(before.operation.inner, after.operation.inner, strict=False):
                self._pair(one, other, names)
        calls = zip(_called(before, self._before), _called(after, self._after), strict=False)
        for one, other in calls:
            self._pair(one, other, {})

    def _aligned(self, before: Block, after: Block) -> Pairs:
        """Aligned first by all that statements are computed from, then by less and less of it."""
        first, second = self._before, self._after
        left, right = first.statements[id(before)], second.statements[id(after)]
        pairs = refined([], first.exact[id(before)], second.exact[id(after)])
        pairs = refined(pairs, first.opcodes[id(before)], second.opcodes[id(after)])
        if len(pairs) < max(len(left), len(right)):
            pairs = refined(pairs, first.users(before), second.users(after))
            pairs = filled(pairs, *(_keys(side, with_words=True) for side in (left, right)))
            pairs = filled(pairs, *(_keys(side, with_words=False) for side in (left, right)))
        return [(i, j) for i, j in pairs if left[i].opcode == right[j].opcode]

    def _renaming(self, names: dict[str, str], left: Sequence[Statement]) -> Rename:
        """Maps names of the second program to those of the first; a new name that clashes gets a prime."""
        taken = {name for one in left for name in _defined(one)}

        def rename(name: Name) -> str:
            if name.kind == "call":
                return self._block_name(name)
            known = names.get(name.text)
            return known or (f"{name.text}′" if name.text in taken else name.text)

        return rename

    def _block_name(self, name: Name) -> str:
        partner = self._taken.get(id(self._after.block_of(name)))
        sign = name.text[:1] if name.text[:1] in "%@" else ""
        return f"{sign}{partner}" if partner is not None else name.text

    def _alone(self, program: Program, side: Structure, is_before: bool) -> Iterator[BlockRows]:
        """Blocks to which no block of the other program corresponds or is equal."""
        other = self._after if is_before else self._before
        there = {other.digest(block) for block in other.program.blocks}
        for block in program.blocks:
            met = id(block) in (self._partners if is_before else self._taken)
            if met or id(block) not in side.statements or side.digest(block) in there:
                continue
            made = side.statements[id(block)]
            if is_before:
                yield BlockRows(block.name, list(map(_gone, made)), (block, None))
            else:
                yield BlockRows(block.name, list(map(_came, made)), (None, block))


def _gone(one: Statement) -> Row:
    return Row(one.text(), None, statements=(one, None))


def _came(one: Statement, rename: Rename = Name.itself) -> Row:
    return Row(None, one.text(rename), statements=(None, one))


def _defined(statement: Statement) -> list[str]:
    return [name.text for name in statement.names if name.kind == "def"]


def _called(statement: Statement, side: Structure) -> list[Block]:
    return [block for name in statement.names if (block := side.block_of(name)) is not None]


def _keys(statements: Sequence[Statement], with_words: bool) -> list[Hashable]:
    return [(one.opcode, one.words) if with_words else one.opcode for one in statements]


def _title(before: Block, after: Block) -> str:
    return before.name if before.name == after.name else f"{before.name} → {after.name}"
