"""`trace-cache` as a table: a line per call, its reason beside it or below, and the totals."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from jitinspect.model import Call, CallReport, FunctionTotals, Policy, Reason, Work
from jitinspect.render.text import (
    Painter,
    count,
    cut_middle,
    joined,
    printable,
    seconds,
    shown_path,
    wrapped,
)

STATUS_COLOURS = {"CACHED": "32", "TRACED": "36", "LOWERED": "34", "COMPILED": "35", "DISK": "33"}
_BESIDE = 150
"""From this width on, reasons are beside the calls if they fit there."""
_STAGES = 80
"""From this width on, the stages have a column of their own."""
_BELOW = 40
"""A reason below its call has at least this many columns, or begins further left."""


_PADDED = 200
"""Calls are padded to at most this many columns; a longer one moves only its own reason."""
_ALIKE = 3
"""Rows shown of equal cached calls; the others are counted in one line."""


def render(
    report: CallReport, color: bool, width: int, verbose: bool = False, quiet: bool = False
) -> Iterator[str]:
    """The report in blocks of lines; `verbose` shows every reason, `quiet` only counts cached calls."""
    painter = Painter(color)
    layout = _Layout(report.calls, width)
    if report.calls:
        yield painter(layout.head(), "2") + "\n"
    for call, more in _shown(report.calls, quiet):
        if more:
            yield painter(layout.folded(more, quiet), "2") + "\n"
            continue
        yield from layout.lines(call, painter)
        if verbose:
            yield from _details(call, painter)
    if report.calls:
        yield "\n"
    yield from totals(report, painter, width)


def _shown(calls: tuple[Call, ...], quiet: bool) -> Iterator[tuple[Call, int]]:
    """Each call that has a line, with 0; in place of those left out, the first of them with their number."""
    for cached, run in groupby(calls, lambda call: _sameness(call, quiet)):
        alike = list(run)
        most = len(alike) if cached is None or (len(alike) == _ALIKE + 1 and not quiet) else _ALIKE
        kept = 0 if quiet and cached else most
        yield from ((call, 0) for call in alike[:kept])
        if alike[kept:]:
            yield alike[kept], len(alike[kept:])


def _sameness(call: Call, quiet: bool) -> tuple[object, ...] | None:
    """Equal for cached calls with equal lines; None for a call that did something."""
    if call.status != "CACHED" or call.error or call.reasons:
        return None
    return ("cached",) if quiet else (call.function, call.at, call.signature, call.executable)


class _Layout:
    """The widths of the columns. The call is last, and is cut if it does not fit."""

    def __init__(self, calls: tuple[Call, ...], width: int) -> None:
        index = max([1, *(len(str(call.index)) for call in calls)])
        exe = max([3, *(len(_executable(call)) for call in calls)])
        self._beside = width >= _BESIDE
        stages = 19 if self._beside else 6 if width >= _STAGES else 0
        self._columns = (index, 8, exe, stages, 8)
        self.indent = sum(width + 2 for width in self._columns if width)
        self._below = self.indent if width - self.indent >= _BELOW else index + 2
        self._width = width
        longest = max([20, *(len(call.signature) for call in calls)])
        self._most = (width - self.indent) // (2 if self._beside else 1)
        self._room = min(longest, self._most, _PADDED)

    def head(self) -> str:
        index, status, exe, stages, time = self._columns
        middle = f"{'stages':<{stages}}  " if stages else ""
        head = f"{'#':>{index}}  {'status':<{status}}  {'exe':<{exe}}  {middle}{'time':>{time}}  "
        return head + (f"{'call':<{self._room}}  reason" if self._beside else "call")

    def folded(self, number: int, quiet: bool) -> str:
        what = "cached call" if quiet else "more call"
        return f"{'…':>{self._columns[0]}}  {count(number, what)}{'' if quiet else ' like it'}"

    def lines(self, call: Call, painter: Painter) -> Iterator[str]:
        index, status, exe, stages, time = self._columns
        ran = " ".join(call.stages if self._beside else (stage[0] for stage in call.stages))
        spent = seconds(sum(call.seconds.values())) if call.seconds else ""
        cells = (
            painter(f"{call.index:>{index}}", "2"),
            painter(f"{shown_status(call):<{status}}", "31" if call.error else STATUS_COLOURS[call.status]),
            f"{_executable(call):<{exe}}",
            *([painter(f"{ran:<{stages}}", "2")] if stages else []),
            f"{spent:>{time}}",
        )
        reason = _reason(call)
        signature = cut_middle(call.signature, self._most)
        padding = " " * (self._room - len(signature)) if self._beside and reason else ""
        shown = _emphasized(signature, call.reasons, painter)
        line = f"{'  '.join(cells)}  {shown}{padding}"
        taken = self.indent + max(self._room, len(signature)) + 2
        if reason and self._beside and taken + len(reason) <= self._width:
            yield f"{line}  {_painted(reason, call, painter)}\n"
            return
        yield line.rstrip() + "\n"
        if reason:
            room = max(self._width - self._below, 20)
            below = [cut_middle(reason, room)] if call.error else wrapped(reason, room)
            yield from (f"{' ' * self._below}{_painted(text, call, painter)}\n" for text in below)


def shown_status(call: Call) -> str:
    """A call that JAX rejected before any look-up was neither cached nor compiled."""
    return "–" if call.error and call.status == "CACHED" else call.status


def _executable(call: Call) -> str:
    return f"#{call.executable}" if call.executable else "–"


def _reason(call: Call) -> str:
    """One line: the error, or the first difference and how many more there are."""
    if call.error:
        return printable(call.error)
    if not call.reasons:
        return ""
    more = f"  (+{len(call.reasons) - 1} more)" if len(call.reasons) > 1 else ""
    return printable(f"{call.reasons[0].text}{more}")


def _painted(reason: str, call: Call, painter: Painter) -> str:
    first = not call.error and call.reasons[0].kind == "first_call"
    return painter(reason, "31" if call.error else "2" if first else "33")


def _emphasized(signature: str, reasons: tuple[Reason, ...], painter: Painter) -> str:
    """The signature, with the arguments that differ from the nearest call in bold."""
    for reason in reasons:
        if reason.where and reason.now and len(reason.now) > 1:
            signature = signature.replace(reason.now, painter(reason.now, "1;33"), 1)
    return signature


def _details(call: Call, painter: Painter) -> Iterator[str]:
    """Everything known about a call that was not cached."""
    at = f"{shown_path(call.at)}" if call.at else ""
    where = f"  defined at {shown_path(call.definition)}" if call.definition else ""
    yield painter(f"      at {at}{where}", "2") + "\n"
    if call.stages:
        parts = ", ".join(f"{stage} {seconds(call.seconds.get(stage, 0))}" for stage in call.stages)
        yield (
            f"      stages   {parts}\n"
            if any(call.seconds.values())
            else f"      stages   {', '.join(call.stages)}\n"
        )
    if call.nearest is not None:
        yield f"      nearest  call {call.nearest}\n"
    for reason in call.reasons if call.reasons[1:] or (call.reasons and call.reasons[0].hint) else ():
        yield f"      {painter(reason.kind, '33')}  {printable(reason.text)}\n"
        if reason.hint:
            yield f"        {painter('hint', '36')}  {printable(reason.hint)}\n"
    if call.jax_says:
        said = call.jax_says.replace("\n", "\n        ")
        yield f"      {painter('JAX says', '2')}\n        {said}\n"


def sums(report: CallReport) -> list[str]:
    """The totals, for one line."""
    totals = report.totals
    return [
        ("planned, nothing was run: " if report.planned else "") + count(totals.calls, "call"),
        count(totals.compilations, "compilation"),
        *([f"{totals.disk_hits} from disk"] if totals.disk_hits else []),
        count(totals.cache_entries, "cache entr", "y", "ies"),
        count(totals.cache_hits, "cache hit"),
        *([] if report.planned else [seconds(totals.seconds)]),
    ]


def totals(report: CallReport, painter: Painter, width: int = 10_000) -> Iterator[str]:
    """The lines below the table, wrapped to `width` columns between words."""
    yield from (painter(line, "1") + "\n" for line in joined(sums(report), width))
    yield from _functions(report.functions, report.planned, painter, width)
    for text, sgr in notes(report):
        lines = textwrap.wrap(printable(text), width, **_WHOLE_WORDS)
        yield from (painter(line, sgr) + "\n" for line in lines)


_WHOLE_WORDS: Any = {"subsequent_indent": "  ", "break_long_words": False, "break_on_hyphens": False}


def _functions(
    functions: tuple[FunctionTotals, ...], planned: bool, painter: Painter, width: int
) -> Iterator[str]:
    """One line each, in columns; two if these do not fit."""
    places = [shown_path(one.definition or "") for one in functions]
    names = [printable(one.function) for one in functions]
    longest = max(map(len, names), default=0)
    where = max(map(len, places), default=0)
    fits = longest + where + (45 if planned else 55) <= width
    for one, name, place in zip(functions, names, places, strict=True):
        counts = [
            count(one.calls, "call"),
            count(one.compilations, "compilation"),
            count(one.cache_hits, "hit"),
            *([] if planned else [seconds(one.seconds)]),
        ]
        if fits:
            columns = "  ".join(
                f"{text:>{room}}" for text, room in zip(counts, (10, 15, 10, 8), strict=False)
            )
            yield f"  {name:<{longest}}  {painter(f'{place:<{where}}', '2')}  {columns}\n"
        else:
            yield "  " + cut_middle(f"{name}  {place}", max(width - 2, 20)) + "\n"
            yield from (f"    {line}\n" for line in joined(counts, width - 4))


def notes(report: CallReport) -> Iterator[tuple[str, str]]:
    """Notes, and their colours."""
    yield from _work(report.ahead_of_time, "ahead of time (lower and compile)")
    yield from _work(report.unwatched, f"outside of these calls{_run_shows(report)}")
    yield from _work(report.internal, "by JAX itself (eager operations)")
    if report.omitted:
        yield f"{count(report.omitted, 'cached call')} without a row", "2"
    yield from ((f"warning: {warning}", "31") for warning in report.warnings)
    yield from ((_policy(policy, report.totals.compilations), "") for policy in report.policies)
    yield from ((f"note: {text}", "33") for text in report.notes)
    if report.stopped:
        yield f"ended early: {report.stopped}", "31"


def _run_shows(report: CallReport) -> str:
    """A program can be run, a call script cannot."""
    examples = "loops outside of a jit, jax.pmap, and the like"
    is_program = report.script.endswith(".py")
    return (
        f" ({examples}): jitinspect run {shlex.quote(report.script)} shows them"
        if is_program
        else f" ({examples})"
    )


def _work(work: Work, what: str) -> Iterator[tuple[str, str]]:
    if work.compilations:
        yield f"+ {seconds(work.seconds)} for {count(work.compilations, 'compilation')} {what}", "2"


def _policy(policy: Policy, today: int) -> str:
    return (
        f"with {policy.policy}: {count(policy.compilations, 'compilation')} instead of {today}, "
        f"{policy.share:.1%} more elements ({policy.padded:,} padded)"
    )
