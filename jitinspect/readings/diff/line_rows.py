"""Two texts as rows of a page: lines that correspond are in one row, and each line of both is in one."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from jitinspect.ir.program import Block, Program
from jitinspect.model.comparisons import ADDED, APART, CHANGED, REMOVED, SAME
from jitinspect.readings.diff.alignment import Pairs, filled, refined
from jitinspect.readings.diff.block_rows import BlockRows
from jitinspect.readings.diff.changed_words import Words, changed_words
from jitinspect.readings.diff.line_pairs import LinePairs, line_pairs

_FIRST_WORD = re.compile(r"\s*[A-Za-z_]\w*|\s*\S?")
_UNCHANGED = Words((), ())


class LineRow(NamedTuple):
    """`kind` is one of `model.comparisons`; a line is -1 where the side has none."""

    kind: int
    before: int
    after: int
    words: Words = _UNCHANGED


def rows_of_programs(before: Program, after: Program, blocks: Sequence[BlockRows]) -> list[LineRow]:
    """`blocks` are all of a comparison of the two. Those of the second program are beside those that they
    correspond to, whatever their order is.
    """
    pairs = line_pairs(before, after, blocks)
    partners = {
        id(one.blocks[0]): one.blocks[1] for one in blocks if one.blocks[0] is not None and one.blocks[1]
    }
    made = _Rows(before, after, pairs)
    return [row for left, right in _beside(before, after, partners) for row in made.of(left, right)]


def rows_of_lines(before: Sequence[str], after: Sequence[str]) -> list[LineRow]:
    """Of texts that are no programs for us: Python. Lines correspond that are equal, or begin alike."""
    equal = filled(refined([], before, after), before, after)
    pairs = filled(equal, list(map(_beginning, before)), list(map(_beginning, after)))
    found: list[LineRow] = []
    for (i, j), is_pair in _walk(pairs, range(len(before)), range(len(after))):
        if not is_pair:
            found.append(LineRow(REMOVED if j < 0 else ADDED, i, j))
        elif before[i] == after[j]:
            found.append(LineRow(SAME, i, j))
        else:
            found.append(LineRow(CHANGED, i, j, changed_words("python", before[i], after[j], {})))
    return found


def _beginning(line: str) -> str:
    found = _FIRST_WORD.match(line)
    return found[0] if found else ""


def _walk(pairs: Pairs, left: range, right: range) -> Iterator[tuple[tuple[int, int], bool]]:
    """Each pair, and before it what is in neither: that of the left side, then that of the right one."""
    i, j = left.start, right.start
    for k, m in [*pairs, (left.stop, right.stop)]:
        yield from (((line, -1), False) for line in range(i, k))
        yield from (((-1, line), False) for line in range(j, m))
        if k < left.stop:
            yield (k, m), True
        i, j = k + 1, m + 1


def _beside(
    before: Program, after: Program, partners: Mapping[int, Block | None]
) -> Iterator[tuple[range, range]]:
    """The lines of each part of the first program, and those of its partner; a part of the second one alone
    comes behind the part that is before it there.
    """
    first, second = _parts(before), _parts(after)
    numbers = {id(block): at for at, (block, _) in enumerate(second)}
    partner_of = {0: 0, len(first) - 1: len(second) - 1} | {
        at: numbers[id(partner)]
        for at, (block, _) in enumerate(first)
        if block is not None and (partner := partners.get(id(block))) is not None and id(partner) in numbers
    }
    taken = {*partner_of.values()}
    for at, (_, lines) in enumerate(first):
        number = partner_of.get(at)
        yield lines, second[number][1] if number is not None else range(0)
        while number is not None and number + 1 < len(second) and number + 1 not in taken:
            number += 1
            yield range(0), second[number][1]


def _parts(program: Program) -> list[tuple[Block | None, range]]:
    """What is above all blocks, each block with what is below it, down to the next one, and the rest."""
    blocks = sorted(program.blocks, key=lambda block: block.start)
    last = blocks[-1].end if blocks else 0
    starts = [0, *(block.start for block in blocks), last, len(program.lines)]
    return [
        (block, range(*bounds)) for block, bounds in zip([None, *blocks, None], pairwise(starts), strict=True)
    ]


class _Rows:
    """Makes the rows of two parts that are beside each other."""

    def __init__(self, before: Program, after: Program, pairs: LinePairs) -> None:
        self._before, self._after, self._pairs = before, after, pairs

    def of(self, left: range, right: range) -> Iterator[LineRow]:
        for (i, j), is_pair in _walk(self._aligned(left, right), left, right):
            yield self._pair(i, j) if is_pair else LineRow(self._alone(i, j), i, j)

    def _aligned(self, left: range, right: range) -> Pairs:
        """Known pairs, and between them equal lines of which nothing is known, such as brackets."""
        pairs: Pairs = []
        for line in left:
            partner = self._pairs.partners.get(line, -1)
            if partner in right and (not pairs or partner > pairs[-1][1]):
                pairs.append((line, partner))
        shifted = [(i - left.start, j - right.start) for i, j in pairs]
        texts = (
            [self._key(self._before, line, self._pairs.gone) for line in left],
            [self._key(self._after, line, self._pairs.came) for line in right],
        )
        return [(i + left.start, j + right.start) for i, j in filled(shifted, *texts)]

    def _key(self, program: Program, line: int, known: set[int]) -> Hashable:
        """Equal to no other, if the line is known to be one side's alone."""
        return (id(program), line) if line in known else program.lines[line].strip()

    def _pair(self, before: int, after: int) -> LineRow:
        names = self._pairs.changed.get(before)
        if names is None:
            return LineRow(SAME, before, after)
        lines = self._before.lines[before], self._after.lines[after]
        words = changed_words(self._before.stage, *lines, names)
        return LineRow(CHANGED if words != _UNCHANGED else SAME, before, after, words)

    def _alone(self, before: int, after: int) -> int:
        if before in self._pairs.gone:
            return REMOVED
        return ADDED if after in self._pairs.came else APART
