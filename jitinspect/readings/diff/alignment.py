"""Which element of one sequence corresponds to which of another: pairs, in the order of both.

A patience diff: elements that are unique on both sides, and in the same order, are paired first; then the
same is done within each gap, with less specific keys.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise

Pairs = list[tuple[int, int]]

LARGEST_GAP = 400
"""The largest gap in which all pairs are tried; the time grows with its square."""


def refined(pairs: Pairs, before: Sequence[Hashable], after: Sequence[Hashable]) -> Pairs:
    """`pairs`, and in the gaps between them pairs of equal keys that are unique there."""
    found: Pairs = []
    for (i, j), (k, m) in _gaps(pairs, len(before), len(after)):
        found += _patience(before, after, range(i, k), range(j, m))
    return sorted({*pairs, *found})


def filled(pairs: Pairs, before: Sequence[Hashable], after: Sequence[Hashable]) -> Pairs:
    """`pairs`, and in the gaps between them pairs of equal keys, unique or not."""
    found: Pairs = []
    for (i, j), (k, m) in _gaps(pairs, len(before), len(after)):
        if k - i == m - j and list(before[i:k]) == list(after[j:m]):
            found += zip(range(i, k), range(j, m), strict=True)
        elif max(k - i, m - j) <= LARGEST_GAP:
            matcher = SequenceMatcher(None, before[i:k], after[j:m], autojunk=False)
            for a, b, size in matcher.get_matching_blocks():
                found += ((i + a + n, j + b + n) for n in range(size))
    return sorted({*pairs, *found})


def _gaps(pairs: Pairs, before: int, after: int) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Where both sides have unpaired elements: from (i, j) up to (k, m)."""
    for (i, j), (k, m) in pairwise([(-1, -1), *pairs, (before, after)]):
        if k - i > 1 and m - j > 1:
            yield (i + 1, j + 1), (k, m)


def _patience(before: Sequence[Hashable], after: Sequence[Hashable], left: range, right: range) -> Pairs:
    unique = _unique(after, right)
    found = [(at, unique[key]) for key, at in _unique(before, left).items() if key in unique]
    return _increasing(sorted(found))


def _unique(keys: Sequence[Hashable], span: range) -> dict[Hashable, int]:
    places: dict[Hashable, int] = {}
    for at in span:
        places[keys[at]] = -1 if keys[at] in places else at
    return {key: at for key, at in places.items() if at >= 0}


def _increasing(pairs: Pairs) -> Pairs:
    """The longest subsequence of pairs that increases on both sides; on the first they already do."""
    tails: list[int] = []
    ends: list[int] = []
    previous = [-1] * len(pairs)
    for index, (_, j) in enumerate(pairs):
        at = bisect_left(tails, j)
        previous[index] = ends[at - 1] if at else -1
        tails[at : at + 1] = [j]
        ends[at : at + 1] = [index]
    chain: Pairs = []
    index = ends[-1] if ends else -1
    while index >= 0:
        chain.append(pairs[index])
        index = previous[index]
    return chain[::-1]
