"""What is replaced in the rows that differ: sizes, numbers and dtypes, again and again the same ones."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain

from jitinspect.model.differences import Substitution
from jitinspect.readings.diff.block_rows import Row
from jitinspect.readings.diff.sides_of_rows import Text
from jitinspect.readings.diff.statements import Form

_WORD = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?|x(?=[\dfibuc])|[a-zA-Z_]\w*|\W")
_TYPE_OR_NUMBER = re.compile(r"\d|(?:f|bf|s|u|i|c)\d+(?:_?e\w+)?$|pred$|bool$")
_MOST_SUBSTITUTIONS = 4

Exchanged = frozenset[tuple[str, str]]


def substitutions(changed: Sequence[Row]) -> tuple[tuple[Substitution, ...], int]:
    """The words that change most often, and the number of rows in which nothing else changes."""
    exchanges = _Exchanges()
    found = Counter(exchanges.of(*texts) for row in changed if (texts := row.texts))
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

    def of(self, before: Text, after: Text) -> Exchanged | None:
        """The sizes, numbers and dtypes that were replaced, in pairs; None if anything else differs."""
        forms = before.form, after.form
        if not self._are_alike(*forms) or before.names != after.names:
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
