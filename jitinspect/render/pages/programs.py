"""The page of a report on a program: `run`, `summary` and `trace-cache`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from jitinspect.model import CallReport, Environment
from jitinspect.model.runs import Check, RunReport, Uneven
from jitinspect.render import calls, run
from jitinspect.render.flames.graph import columns as boxes
from jitinspect.render.flames.reports import flames_of
from jitinspect.render.pages import causes
from jitinspect.render.pages.document import document
from jitinspect.render.pages.rows import Columns, of_call, of_compilation
from jitinspect.render.pages.tables import functions, processes, sites
from jitinspect.render.pages.timeline import process_name, timeline
from jitinspect.render.text import WIDE, Painter, count, seconds, shown_path

Data = dict[str, Any]
_NO_TIMES = "trace-cache does not keep when a call began, so there is no timeline: jitinspect run has one"
_PLANNED = "the calls were planned, not made, so there is no timeline"
_NOTHING = "nothing was traced, lowered or compiled"


def page(report: RunReport | CallReport) -> Iterator[str]:
    """The HTML in blocks."""
    subject = report.script if isinstance(report, CallReport) else report.program
    return document(f"{subject} – {report.command}".removeprefix(" – "), "programs", to_data(report))


def to_data(report: RunReport | CallReport) -> str:
    """The JSON for the script. In ASCII: names of a program may have what UTF-8 has not."""
    made = _of_calls(report) if isinstance(report, CallReport) else _of_program(report)
    flames = [boxes(one) for one in flames_of(report)]
    shared = {"command": report.command, "about": _about(report.environment), "flames": flames}
    return json.dumps(shared | made, separators=(",", ":"))


def _about(environment: Environment | None) -> str:
    if environment is None:
        return ""
    where = f"{environment.platform} ({environment.device_kind})"
    return f"jax {environment.jax} · Python {environment.python} · {where}"


def _of_program(report: RunReport) -> Data:
    columns = Columns(map(of_compilation, report.compilations))
    totals = report.totals
    avoidable = f"{totals.avoidable} of {totals.compilations} avoidable, {seconds(totals.avoidable_seconds)}"
    return {
        "subject": report.program,
        "totals": run.sums(report),
        "avoidable": avoidable if totals.avoidable else "",
        "seconds": totals.avoidable_seconds,
        "messages": list(_messages(report)),
        "ranked": causes.of_sites(report.sites, columns),
        "timeline": timeline(report, columns),
        "no_timeline": _NOTHING,
        "tables": [functions(report, columns), sites(report, columns), *processes(report)],
        "processes": _process_names(report),
        "text": "".join(run.render(report, color=False, width=160, verbose=True)),
        **columns.data(),
    }


def _of_calls(report: CallReport) -> Data:
    columns = Columns(map(of_call, report.calls))
    avoidable = [sum(row.of.seconds.values()) for row in columns.rows if row.avoidable]
    share = f"{len(avoidable)} of {report.totals.compilations} avoidable"
    share += "" if report.planned else f", {seconds(sum(avoidable))}"
    return {
        "subject": report.script,
        "totals": [*calls.sums(report), *_stages(report)],
        "avoidable": share if avoidable else "",
        "seconds": sum(avoidable),
        "messages": [_message(_SORTS.get(sgr, ""), text) for text, sgr in calls.notes(report)],
        "ranked": causes.of_rows(columns),
        "timeline": None,
        "no_timeline": _PLANNED if report.planned else _NO_TIMES,
        "tables": [functions(report, columns)],
        "processes": [],
        "text": "".join(calls.totals(report, Painter(False))),
        **columns.data(),
    }


_SORTS = {"31": "bad", "33": "note"}
"""What the colour of a line on a terminal says."""


def _stages(report: CallReport) -> list[str]:
    stages = ("trace", "lower", "compile")
    sums = {stage: sum(call.seconds.get(stage, 0.0) for call in report.calls) for stage in stages}
    return [f"{stage} {seconds(time)}" for stage, time in sums.items() if not report.planned]


def _process_names(report: RunReport) -> dict[int, str]:
    numbers = sorted({one.process for one in report.compilations})
    return {one: process_name(report, one) for one in numbers} if report.processes else {}


def _message(sort: str, text: str, *details: str) -> Data:
    return {"sort": sort, "text": text, "details": details}


def _messages(report: RunReport) -> Iterator[Data]:
    """What went wrong comes first."""
    yield from map(_check, sorted(report.checks, key=lambda check: check.held))
    if report.stopped:
        yield _message("bad", f"ended early: {report.stopped}")
    yield from (_message("bad", f"warning: {text}") for text in report.warnings)
    yield from map(_uneven, report.uneven)
    yield from (_message("note", f"note: {text}") for text in report.notes)
    if report.internal.compilations:
        by_jax = f"{count(report.internal.compilations, 'compilation')} by JAX itself (eager operations)"
        yield _message("", f"+ {seconds(report.internal.seconds)} for {by_jax}")
    if report.disk:
        yield from (_message("", line) for line in run.disk_lines(report.disk, Painter(False), WIDE))
    if report.omitted:
        yield _message("", f"{count(report.omitted, 'compilation')} counted, but not listed")


def _check(check: Check) -> Data:
    sort, word = ("good", "passed") if check.held else ("bad", "FAILED")
    return _message(sort, f"{word}: {check.limit}", *check.why)


def _uneven(one: Uneven) -> Data:
    counts = ", ".join(f"{name}: {number}" for name, number in one.counts.items())
    shown = "" if one.what == "order differs" else f" ({counts})"
    hang = ["they compute it together: if one does not join, the others hang"] if one.shared else []
    text = f"compiled differently across processes: {one.function} {shown_path(one.definition or '')}"
    return _message("bad" if one.shared else "note", f"{text}: {one.what}{shown}", *hang, *one.details)
