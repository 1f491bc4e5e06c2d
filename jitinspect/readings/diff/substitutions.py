"""What is replaced in the rows that differ: sizes, numbers and dtypes, again and again the same ones."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

from jitinspect.model.differences import Substitution
from jitinspect.readings.diff.block_rows import BlockRows
from jitinspect.readings.diff.row_layouts import Layout
from jitinspect.readings.diff.sides_of_rows import Text
from jitinspect.readings.diff.statements import Form

_WORD = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?|x(?=[\dfibuc])|[a-zA-Z_]\w*|\W")
_TYPE_OR_NUMBER = re.compile(r"\d|(?:f|bf|s|u|i|c)\d+(?:_?e\w+)?$|pred$|bool$")
_MOST_SUBSTITUTIONS = 4

Exchanged = frozenset[tuple[str, str]]


def substitutions(blocks: Sequence[BlockRows]) -> tuple[tuple[Substitution, ...], int]:
    """The words that change most often, and the number of rows in which nothing else changes."""
    exchanges = _Exchanges()
    found: Counter[Exchanged | None] = Counter()
    for block in blocks:
        found.update(exchanges.of(block))
    counts: Counter[tuple[str, str]] = Counter()
    for pairs, count in found.items():
        for pair in pairs or ():
            counts[pair] += count
    common = sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:_MOST_SUBSTITUTIONS]
    kept = {pair for pair, _ in common}
    explained = sum(count for pairs, count in found.items() if pairs and pairs <= kept)
    return tuple(Substitution(*pair, count) for pair, count in common), explained


class _Exchanges:
    """What is exchanged between two texts. Between two forms with equal names, that is found out once."""

    def __init__(self) -> None:
        self._known: dict[tuple[Form, Form], Exchanged | None] = {}
        self._words: dict[Form, list[list[str]]] = {}
        self._layouts: dict[Layout, list[Exchanged | None]] = {}

    def of(self, block: BlockRows) -> Iterable[Exchanged | None]:
        """What is exchanged in each pair of rows that differ: the sizes, numbers and dtypes that were
        replaced, in pairs; None if anything else differs.
        """
        layout, sides = block.layout, block.sides
        if layout in self._layouts:
            return self._layouts[layout]
        changed = [(i, j) for i, j in layout.changes if i is not None and j is not None]
        texts = [(sides.before(i), sides.after(j)) for i, j in changed]
        found = [self._between(*both) for both in texts]
        if layout.shown is not None and all(before.names == after.names for before, after in texts):
            self._layouts[layout] = found
        return found

    def _between(self, before: Text, after: Text) -> Exchanged | None:
        forms = before.form, after.form
        if before.names != after.names or not self._are_alike(*forms):
            return _exchanged(_WORD.findall(str(before)), _WORD.findall(str(after)))
        if forms not in self._known:
            first, second = (list(chain.from_iterable(self._words_of(form))) for form in forms)
            self._known[forms] = _exchanged(first, second)
        return self._known[forms]

    def _are_alike(self, before: Form, after: Form) -> bool:
        """Whether they have as many words between each two names, so that equal names face each other."""
        return list(map(len, self._words_of(before))) == list(map(len, self._words_of(after)))

    def _words_of(self, form: Form) -> list[list[str]]:
        if form not in self._words:
            self._words[form] = [_WORD.findall(part) for part in form.parts]
        return self._words[form]


def _exchanged(before: list[str], after: list[str]) -> Exchanged | None:
    if len(before) != len(after):
        return None
    pairs = frozenset((one, other) for one, other in zip(before, after, strict=True) if one != other)
    return pairs if all(_TYPE_OR_NUMBER.match(word) for pair in pairs for word in pair) else None
