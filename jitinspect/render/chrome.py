"""What a program compiled, over time: JSON in Chrome's trace event format, for ui.perfetto.dev and others.

The format is that of "Trace Event Format" (Google, 2016): complete events, `ph: X`, in microseconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from jitinspect.model.runs import Compilation, RunReport, Span


def to_trace(report: RunReport) -> str:
    """The calls, with their stages inside, on a track for each thread of each process."""
    document = {
        "displayTimeUnit": "ms",
        "otherData": {"program": report.program},
        "traceEvents": [*_names(report), *map(_call, report.compilations), *map(_stage, report.spans)],
    }
    return json.dumps(document, ensure_ascii=False)


def _names(report: RunReport) -> Iterator[dict[str, Any]]:
    """Names of the processes; Perfetto would show numbers."""
    processes = {one.process for one in report.compilations} | {span.process for span in report.spans}
    for process in sorted(processes):
        name = report.program if not report.processes else f"{report.program}, process {process}"
        yield {"ph": "M", "name": "process_name", "pid": process, "args": {"name": name}}


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
    return {
        "ph": "X",
        "name": name,
        "cat": category,
        "ts": round(began * 1e6, 1),
        "dur": round(max(lasted, 0.0) * 1e6, 1),
        "pid": process,
        "tid": thread,
        "args": args,
    }
