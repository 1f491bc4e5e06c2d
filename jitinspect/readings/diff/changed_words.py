"""Which words of a line were changed into which of another one, names that only have other numbers aside."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

_LONGEST = 4_000
"""Letters of a line that is compared word by word; a longer one, such as a literal, is changed as a whole."""
_MOST = 300
"""Words of which all pairs are tried; the time grows with their square."""
_WORD = r"\d+(?:\.\d+)?(?:e[+-]?\d+)?|x(?=[\dfibuc])|[a-zA-Z_]\w*|\S"
_WORDS = {
    "hlo": re.compile(rf"%[\w.\-]+|[A-Za-z_][\w.\-]*(?=: )|{_WORD}"),
    "stablehlo": re.compile(rf"[%@][\w$.\-]+|{_WORD}"),
    "jaxpr": re.compile(_WORD),
    "python": re.compile(_WORD),
}
"""One for the language of each text. A name is one word; a type such as `8x4xf32` is several."""

Spans = tuple[int, ...]
"""Columns from and to which a line was changed, in turns."""


class Words(NamedTuple):
    """What was changed in a line before, and in the one after."""

    before: Spans
    after: Spans


def changed_words(language: str, before: str, after: str, names: Mapping[str, str]) -> Words:
    """`names` maps those of `after` to those of `before`. Empty where nothing but names differs."""
    if max(len(before), len(after)) > _LONGEST:
        return Words((0, len(before)), (0, len(after))) if before != after else Words((), ())
    first, second = (list(_WORDS[language].finditer(line)) for line in (before, after))
    gone, came = [one[0] for one in first], [names.get(one[0], one[0]) for one in second]
    found = list(_differing(gone, came))
    return Words(
        _spans(before, first, [(i, k) for i, k, _, _ in found]),
        _spans(after, second, [(j, m) for _, _, j, m in found]),
    )


def _differing(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """Ranges of words. Where there are as many on both sides, mostly single words were replaced."""
    if len(before) == len(after):
        places = [at for at, word in enumerate(before) if word != after[at]]
        if 2 * len(places) <= len(before):
            yield from ((at, at + 1, at, at + 1) for at in places)
            return
    if max(len(before), len(after)) > _MOST:
        yield 0, len(before), 0, len(after)
        return
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    yield from ((i, k, j, m) for tag, i, k, j, m in matcher.get_opcodes() if tag != "equal")


def _spans(line: str, words: Sequence[re.Match[str]], ranges: Sequence[tuple[int, int]]) -> Spans:
    """Columns; ranges between which there are only blanks are one."""
    found: list[int] = []
    for first, end in ranges:
        if first == end:
            continue
        start, stop = words[first].start(), words[end - 1].end()
        if found and not line[found[-1] : start].strip():
            found[-1] = stop
        else:
            found += (start, stop)
    return tuple(found)
