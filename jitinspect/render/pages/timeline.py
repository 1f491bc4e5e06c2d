"""Calls and their stages over time, for the script of a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple

from jitinspect.model.runs import Compilation, RunReport, Span
from jitinspect.render.pages.rows import Columns, Numbered

_CALL = "call"
Lane = tuple[int, int]
"""A process and a thread of it."""


class _Event(NamedTuple):
    """In the order of the timeline: of two that begin together the longer one is around the other."""

    lane: Lane
    began: float
    negative_end: float
    is_stage: bool
    at: int
    of: Compilation | Span


def timeline(report: RunReport, columns: Columns) -> dict[str, Any] | None:
    """None if nothing is known of when things happened."""
    events = sorted(chain(_calls(columns), _stages(report.spans)), key=lambda event: event[:-1])
    if not events:
        return None
    names, lanes = Numbered(), Numbered()
    for event in sorted(events, key=lambda event: (event.lane[0], event.began)):
        lanes(event.lane)
    return {
        "lane": [lanes(event.lane) for event in events],
        "began": [round(event.began, 7) for event in events],
        "seconds": [round(-event.negative_end - event.began, 7) for event in events],
        "phase": [event.of.phase if isinstance(event.of, Span) else _CALL for event in events],
        "name": [names(_name(event.of)) for event in events],
        "row": list(_owners(events)),
        "internal": [at for at, event in enumerate(events) if getattr(event.of, "internal", False)],
        "disk": [at for at, event in enumerate(events) if getattr(event.of, "disk_hit", False)],
        "names": list(names),
        "lanes": _lanes(list(lanes), report),
    }


def _calls(columns: Columns) -> Iterator[_Event]:
    for at, row in enumerate(columns.rows):
        if isinstance(row.of, Compilation):
            one = row.of
            yield _Event((one.process, one.thread), one.began, -max(one.ended, one.began), False, at, one)


def _stages(spans: Iterable[Span]) -> Iterator[_Event]:
    for at, span in enumerate(spans):
        end = span.began + max(span.seconds, 0.0)
        yield _Event((span.process, span.thread), span.began, -end, True, at, span)


def _owners(events: list[_Event]) -> Iterator[int]:
    """The row of each event: a stage's is the innermost call that was under way, -1 if there was none."""
    lane: Lane | None = None
    under_way: list[tuple[float, int]] = []
    for event in events:
        if event.lane != lane:
            lane, under_way = event.lane, []
        while under_way and under_way[-1][0] < event.began:
            under_way.pop()
        if not event.is_stage:
            under_way.append((-event.negative_end, event.at))
        is_internal = isinstance(event.of, Span) and event.of.internal
        yield under_way[-1][1] if under_way and not is_internal else -1


def _name(one: Compilation | Span) -> str:
    return (one.signature or one.function) if isinstance(one, Compilation) else one.function


def _lanes(lanes: list[Lane], report: RunReport) -> list[str]:
    """`thread 2`, counted within its process; a thread's own number tells nobody anything."""
    counts: Counter[int] = Counter()
    names = []
    for process, _ in lanes:
        counts[process] += 1
        of = f"{process_name(report, process)} · " if report.processes else ""
        names.append(f"{of}thread {counts[process]}")
    return names


def process_name(report: RunReport, process: int) -> str:
    """Processes of a job have their index as their name, others are in the order of their recordings."""
    names = [one.name for one in report.processes]
    if str(process) not in names and process < len(names):
        return names[process]
    return f"process {process}"
