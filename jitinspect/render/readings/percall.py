"""Rows of a report on several calls, as of a sweep, call by call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Protocol, TypeVar

from jitinspect.render.text import Painter, cut_middle

_DIM, _BOLD = "2", "1"


class OfCall(Protocol):
    """A row that has the signature of its call."""

    @property
    def signature(self) -> str: ...


Row = TypeVar("Row", bound=OfCall)
One = TypeVar("One")


def by_call(rows: Iterable[Row], painter: Painter, room: int) -> Iterator[tuple[str, list[Row]]]:
    """A heading and the rows of each call; the heading is empty if there is only one."""
    calls = [(signature, list(of)) for signature, of in groupby(rows, lambda row: row.signature)]
    for signature, of in calls:
        yield (painter(cut_middle(signature, room), _BOLD) + "\n" if len(calls) > 1 else ""), of


def each_in_full(
    calls: Iterable[One], in_full: Callable[[One], Iterator[str]], by: str, painter: Painter, verbose: bool
) -> Iterator[str]:
    """What comes after the table of a sweep: with `verbose` each of its calls, else what would show them, and
    `by` what.
    """
    if not verbose:
        yield painter(f"\n-v shows each by {by}\n", _DIM)
        return
    for one in calls:
        yield "\n"
        yield from in_full(one)
