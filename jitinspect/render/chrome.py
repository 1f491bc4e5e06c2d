"""What happened over time: JSON in Chrome's trace event format, for ui.perfetto.dev and others.

The format is that of "Trace Event Format" (Google, 2016): complete events, `ph: X`, in microseconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from jitinspect.model.flames import Slice
from jitinspect.render.flames.reports import Flames
from jitinspect.render.flames.tree import boxes, tree

if TYPE_CHECKING:
    from jitinspect.model.runs import Compilation, RunReport, Span

_FIRST_TRACK = 1001
"""Viewers call a thread with the number of its process the main thread."""


def to_trace(report: RunReport) -> str:
    """The calls, with their stages inside, on a track for each thread of each process."""
    document = {
        "displayTimeUnit": "ms",
        "otherData": {"program": report.program},
        "traceEvents": [*_names(report), *map(_call, report.compilations), *map(_stage, report.spans)],
    }
    return json.dumps(document, ensure_ascii=False)


def with_events(document: str, graphs: Sequence[Flames]) -> str:
    """The indented JSON object as a trace, too: of each graph's timeline, or else of its stacks side by side.

    Viewers pass over keys that they do not know, wherever they are (seen in Perfetto 37, 47 and 52).
    """
    events = (event for number, flames in enumerate(graphs) for event in _of_flames(flames, 1 + 100 * number))
    lines = ",\n".join(json.dumps(event, ensure_ascii=False) for event in events)
    begun = document.removesuffix("}").rstrip()
    return f'{begun},\n "displayTimeUnit": "ms",\n "traceEvents": [\n{lines}\n ]\n}}'


def _of_flames(flames: Flames, first: int) -> Iterator[dict[str, Any]]:
    """With the number of its first process."""
    return _of_timeline(flames, first) if flames.timeline else _of_stacks(flames, first)


def _of_timeline(flames: Flames, first: int) -> Iterator[dict[str, Any]]:
    """Devices are the processes, and the lanes of their tracks the threads."""
    devices = {
        name: at for at, name in enumerate(dict.fromkeys(one.device for one in flames.timeline), first)
    }
    for device, process in devices.items():
        yield _named("process_name", f"{flames.name} {device}".rstrip(), process)
    for thread, lane in enumerate(_lanes(flames.timeline), _FIRST_TRACK):
        process = devices[lane[0].device]
        yield _named("thread_name", lane[0].track, process, thread)
        for one in lane:
            yield _event(one.name, "timeline", one.began, one.seconds, process, thread, {})


def _lanes(timeline: Iterable[Slice]) -> list[list[Slice]]:
    """Those of a track in as few lanes as hold them apart or inside one another.

    Perfetto drops what overlaps, as operations do that end on another thread.
    """
    tracks: dict[tuple[str, str], list[_Lane]] = {}
    for one in sorted(timeline, key=lambda one: (one.began, -one.seconds)):
        lanes = tracks.setdefault((one.device, one.track), [])
        if not any(lane.took(one) for lane in lanes):
            lanes.append(_Lane())
            lanes[-1].took(one)
    return [lane.slices for lanes in tracks.values() for lane in lanes]


class _Lane:
    """Slices in the order of their starts, and when those end that are under way, the innermost last."""

    def __init__(self) -> None:
        self.slices: list[Slice] = []
        self._ends: list[int] = []

    def took(self, one: Slice) -> bool:
        """Whether it lies apart from the others, or inside the innermost that is under way."""
        start, end = _nanoseconds(one.began, one.seconds)
        while self._ends and self._ends[-1] <= start:
            self._ends.pop()
        if self._ends and self._ends[-1] < end:
            return False
        self.slices.append(one)
        self._ends.append(end)
        return True


def _of_stacks(flames: Flames, process: int) -> Iterator[dict[str, Any]]:
    """Each box after those beside it that are wider, as a flame graph has them."""
    yield _named("process_name", f"sums, in no order of time: {flames.name}", process)
    yield _named("thread_name", "by stack", process, _FIRST_TRACK)
    filled = [0.0]
    for box in boxes(tree(flames.stacks)):
        began = filled[box.depth]
        filled[box.depth :] = [began + box.seconds, began]
        if box.depth:
            yield _event(box.frame, "sum", began, box.seconds, process, _FIRST_TRACK, {})


def _named(what: str, name: str, process: int, thread: int = 0) -> dict[str, Any]:
    """A name for a process or a thread; viewers would show numbers."""
    return {"ph": "M", "name": what, "pid": process, "tid": thread, "args": {"name": name}}


def _names(report: RunReport) -> Iterator[dict[str, Any]]:
    processes = {one.process for one in report.compilations} | {span.process for span in report.spans}
    for process in sorted(processes):
        name = report.program if not report.processes else f"{report.program}, process {process}"
        yield _named("process_name", name, process)


def _call(one: Compilation) -> dict[str, Any]:
    args = {
        "status": one.status,
        "at": one.at,
        "definition": one.definition,
        "reasons": [reason.text for reason in one.reasons],
    }
    name = one.signature or one.function
    return _event(name, one.kind, one.began, one.ended - one.began, one.process, one.thread, args)


def _stage(span: Span) -> dict[str, Any]:
    name = f"{span.phase} {span.function}"
    args = {"from_disk": True} if span.disk_hit else {}
    kind = "internal" if span.internal else span.phase
    return _event(name, kind, span.began, span.seconds, span.process, span.thread, args)


def _event(
    name: str, category: str, began: float, lasted: float, process: int, thread: int, args: dict[str, Any]
) -> dict[str, Any]:
    start, end = _nanoseconds(began, lasted)
    return {
        "ph": "X",
        "name": name,
        "cat": category,
        "ts": start / 1e3,
        "dur": (end - start) / 1e3,
        "pid": process,
        "tid": thread,
        "args": args,
    }


def _nanoseconds(began: float, lasted: float) -> tuple[int, int]:
    """Start and end, rounded: of what lies within another, neither gets outside of it, as a rounded length
    would.
    """
    return round(began * 1e9), round((began + max(lasted, 0.0)) * 1e9)
