"""Which parts of a measured time have got slower or faster, and which differ by no more than noise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import sqrt
from statistics import fmean, stdev

from jitinspect.model.time_differences import TimeChange, TimeDifference, TimeTable, Verdict

_LEAST_SAMPLES = 3
_DEVIATIONS = 3
"""Of single calls, not of their mean: calls of one process are more alike than those of two. In four
processes on a busy machine, means of six or seven calls were 30 ms to 50 ms, their deviations about 10 ms.
"""
_LEAST_NOISE = 0.05
"""Of the whole, even if all calls were alike: those of another process are not."""
_ONCE_NOISE = 0.5
"""Of the whole, if it was measured once: on a busy machine one program compiled in 2.1 s, and in 3.7 s."""


@dataclass(frozen=True, slots=True)
class TimedPart:
    """`name` is shown; parts of two measurements with one `key` are the same, or else with one `alias`, if
    that is theirs alone.
    """

    name: str
    seconds: float
    key: Hashable
    alias: Hashable = None
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured, its seconds, those of its parts, by line and so on, and of each of the `samples` of
    which they are the means; `sampled` is what these are.
    """

    name: str
    seconds: float
    parts: Mapping[str, Sequence[TimedPart]]
    samples: Sequence[float] = ()
    sampled: str = "calls"
    dims: Mapping[str, int] = field(default_factory=dict)


def mean(measurements: Sequence[Measured]) -> Measured:
    """Of one thing, in several processes; a part that one does not have took no time there."""
    if len(measurements) == 1:
        return measurements[0]
    parts = {
        by: _mean_parts([part for one in measurements for part in one.parts.get(by, ())], len(measurements))
        for by in dict.fromkeys(by for one in measurements for by in one.parts)
    }
    samples = [one.seconds for one in measurements]
    return replace(measurements[0], seconds=fmean(samples), parts=parts, samples=samples, sampled="reports")


def _mean_parts(parts: Iterable[TimedPart], measurements: int) -> list[TimedPart]:
    first: dict[Hashable, TimedPart] = {}
    seconds: defaultdict[Hashable, float] = defaultdict(float)
    for part in parts:
        first.setdefault(part.key, part)
        seconds[part.key] += part.seconds
    return [replace(part, seconds=seconds[key] / measurements) for key, part in first.items()]


Name = Callable[[TimedPart], Hashable]


def times_changed(before: Measured, after: Measured) -> TimeDifference:
    """The noise of a part is in proportion to the square root of its share: as if times were independent."""
    noise, rule = _noise(before, after)
    whole = max(before.seconds, after.seconds)
    tables = []
    for by in dict.fromkeys([*before.parts, *after.parts]):
        pairs = _paired(before.parts.get(by, ()), after.parts.get(by, ()))
        changes = [_of_part(old, new, noise, whole) for old, new in pairs]
        tables.append(TimeTable(by, tuple(sorted(changes, key=lambda one: -abs(one.more)))))
    total = _change(before.name, before.seconds, after.seconds, noise)
    return TimeDifference(total, tuple(tables), rule, after.dims)


def _noise(before: Measured, after: Measured) -> tuple[float, str]:
    """Of the whole, in seconds, and how it was found out."""
    whole = max(before.seconds, after.seconds)
    if min(len(before.samples), len(after.samples)) < _LEAST_SAMPLES:
        rule = "of the whole, since it was measured once (the reports of a folder are several measurements)"
        return _ONCE_NOISE * whole, f"{_ONCE_NOISE:.0%} {rule}"
    spread = _DEVIATIONS * sqrt(fmean([stdev(before.samples) ** 2, stdev(after.samples) ** 2]))
    rule = f"{_DEVIATIONS} standard deviations of the {after.sampled}"
    if spread < _LEAST_NOISE * whole:
        return _LEAST_NOISE * whole, f"{_LEAST_NOISE:.0%} of the whole, which is more than {rule}"
    return spread, rule


def _paired(
    before: Iterable[TimedPart], after: Iterable[TimedPart]
) -> Iterator[tuple[TimedPart | None, TimedPart | None]]:
    """What is the same in both; then what only one has, with None for the other."""
    gone, come = list(before), list(after)
    for name in (_key, _alias):
        olds, news = _named(gone, name), _named(come, name)
        both = [one for one in olds if one in news]
        yield from ((olds[one], news[one]) for one in both)
        gone, come = _without(gone, both, name), _without(come, both, name)
    yield from ((one, None) for one in gone)
    yield from ((None, one) for one in come)


def _key(part: TimedPart) -> Hashable:
    return part.key


def _alias(part: TimedPart) -> Hashable:
    return part.alias


def _named(parts: Iterable[TimedPart], name: Name) -> dict[Hashable, TimedPart]:
    """Those whose name no other has."""
    found = defaultdict(list)
    for part in parts:
        found[name(part)].append(part)
    return {one: of[0] for one, of in found.items() if one is not None and len(of) == 1}


def _without(parts: Iterable[TimedPart], names: Iterable[Hashable], name: Name) -> list[TimedPart]:
    left_out = {*names}
    return [part for part in parts if name(part) not in left_out]


def _of_part(before: TimedPart | None, after: TimedPart | None, noise: float, whole: float) -> TimeChange:
    shown = after or before
    assert shown is not None
    old, new = (None if part is None else part.seconds for part in (before, after))
    share = max(old or 0.0, new or 0.0) / whole if whole else 0.0
    return _change(shown.name, old, new, noise * sqrt(share), shown.lines)


def _change(
    name: str, before: float | None, after: float | None, noise: float, lines: tuple[str, ...] = ()
) -> TimeChange:
    change = TimeChange(name, before, after, noise, "same", lines)
    verdict: Verdict = "slower" if change.more > noise else "faster" if change.more < -noise else "same"
    return replace(change, verdict=verdict)
