"""What one cell of a notebook compiled, and why, as text."""

from __future__ import annotations

from collections.abc import Iterator

from jitinspect.model.runs import Compilation, FunctionCost, RunReport
from jitinspect.render import run
from jitinspect.render.text import Painter, count, hanging, joined, seconds, wrapped


def render(report: RunReport, width: int) -> Iterator[str]:
    """Whole lines: the sum, then each compilation with what to do about it, then what was cached."""
    yield from (line + "\n" for line in joined(headline(report), width))
    for one in report.compilations:
        yield from run.lines(one, width, Painter(False))
        for hint in hints(one):
            yield from (f"{'':{_INDENT}}{line}\n" for line in wrapped(f"hint  {hint}", width - _INDENT))
    for function in cached(report):
        yield f"{'CACHED':<{_INDENT}}{function.function}  {count(function.hits or 0, 'call')}\n"
    for text in remarks(report):
        yield from (line + "\n" for line in hanging(text, width))


_INDENT = 21


def headline(report: RunReport) -> list[str]:
    """What there is to know at a glance, the most important first."""
    totals, hits = report.totals, sum(one.hits or 0 for one in cached(report))
    did = count(totals.compilations, "compilation") if totals.compilations else _nothing(report)
    parts = [f"{report.program}: {did}"]
    if totals.seconds:
        parts.append(f"{seconds(totals.seconds)} of {seconds(totals.wall_seconds)}")
    if totals.avoidable:
        of = f"{totals.avoidable} of {totals.compilations}"
        parts.append(f"{of} avoidable, {seconds(totals.avoidable_seconds)}")
    if totals.disk_hits:
        parts.append(f"{totals.disk_hits} from disk")
    if hits:
        parts.append(f"{count(hits, 'call')} cached")
    return parts


def _nothing(report: RunReport) -> str:
    return "nothing was compiled" if report.compilations else "nothing was traced or compiled"


def cached(report: RunReport) -> tuple[FunctionCost, ...]:
    """Functions with calls for which JAX did nothing: only calls that were counted are known."""
    return tuple(one for one in report.functions if one.hits)


def hints(one: Compilation) -> tuple[str, ...]:
    """What to do about each difference, once; nothing about one that raised."""
    if one.raised:
        return ()
    return tuple(dict.fromkeys(reason.hint for reason in one.reasons if reason.hint))


def remarks(report: RunReport) -> Iterator[str]:
    """What else the reader should know."""
    if report.internal.compilations:
        what = count(report.internal.compilations, "compilation")
        yield f"+ {seconds(report.internal.seconds)} for {what} by JAX itself (eager operations)"
    if report.omitted:
        yield f"{count(report.omitted, 'compilation')} counted, but not listed"
    yield from (f"warning: {text}" for text in report.warnings)
    yield from (f"note: {text}" for text in report.notes)
