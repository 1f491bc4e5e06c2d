"""Work of several threads → how much of the wall clock each piece of it accounts for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from jitinspect.ir.trace import Span


class Share(NamedTuple):
    """`seconds` of the wall clock, from `start` on, in which the span's thread did what all waited for."""

    span: Span
    start: float
    seconds: float


def divided(
    leading: Sequence[Span], others: Iterable[Span], is_waiting: Callable[[Span], bool]
) -> Iterator[Share]:
    """Pieces of time whose seconds add up to the time in which a `leading` thread has a span.

    Each instant goes to the leading thread that works; while these wait, to all other threads that work, in
    equal parts; and if none does, to what is waited for: of several leading threads that wait, the one whose
    span began last.
    """
    spans = [(span, True) for span in leading] + [(span, False) for span in others]
    edges = sorted(
        (at, is_start, number)
        for number, (span, _) in enumerate(spans)
        for at, is_start in ((span.start, True), (span.end, False))
    )
    working: dict[int, Span] = {}
    waiting: dict[int, Span] = {}
    helping: dict[int, Span] = {}
    before = 0.0
    for at, is_start, number in edges:
        if at > before and (working or waiting):
            active = (working or helping or _last(waiting)).values()
            yield from (Share(span, before, (at - before) / len(active)) for span in active)
        before = at
        span, is_leading = spans[number]
        group = helping if not is_leading else waiting if is_waiting(span) else working
        if is_start:
            group[number] = span
        else:
            del group[number]


def _last(waiting: dict[int, Span]) -> dict[int, Span]:
    number = next(reversed(waiting))
    return {number: waiting[number]}
