"""`trace-cache` as a table: a line per call, its reason beside it or below, and the totals."""

from __future__ import annotations

from collections.abc import Iterator

from jitinspect.model import Call, CallReport, FunctionTotals, Policy, Reason, Work
from jitinspect.render.text import cut_middle, seconds, shown_path

_COLOURS = {"CACHED": "32", "TRACED": "36", "LOWERED": "34", "COMPILED": "35", "DISK": "33"}
_BESIDE = 150
"""Columns from which on reasons stand beside the calls."""
_STAGES = 80
"""Columns from which on the stages have a column of their own; the status tells the deepest."""
_BELOW = 40
"""A reason below its call has at least as many columns, or begins further left."""


def render(report: CallReport, color: bool, width: int, verbose: bool = False) -> Iterator[str]:
    """The report in blocks of lines; `verbose` tells every reason in full."""
    painter = Painter(color)
    layout = _Layout(report.calls, width)
    yield painter(layout.head(), "2") + "\n"
    for call in report.calls:
        yield from layout.lines(call, painter)
        if verbose:
            yield from _details(call, painter)
    yield "\n"
    yield from totals(report, painter)


class Painter:
    """Texts in colour, or as they are."""

    def __init__(self, color: bool) -> None:
        self.color = color

    def __call__(self, text: str, sgr: str) -> str:
        return f"\x1b[{sgr}m{text}\x1b[0m" if self.color and text else text


class _Layout:
    """The widths of the columns; the call stands last, for it is cut where it does not fit."""

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
        self._room = min(longest, (width - self.indent) // (2 if self._beside else 1))

    def head(self) -> str:
        index, status, exe, stages, time = self._columns
        middle = f"{'stages':<{stages}}  " if stages else ""
        head = f"{'#':>{index}}  {'status':<{status}}  {'exe':<{exe}}  {middle}{'time':>{time}}  "
        return head + (f"{'call':<{self._room}}  reason" if self._beside else "call")

    def lines(self, call: Call, painter: Painter) -> Iterator[str]:
        index, status, exe, stages, time = self._columns
        ran = " ".join(call.stages if self._beside else (stage[0] for stage in call.stages))
        spent = seconds(sum(call.seconds.values())) if call.seconds else ""
        cells = (
            painter(f"{call.index:>{index}}", "2"),
            painter(f"{call.status:<{status}}", _COLOURS[call.status]),
            f"{_executable(call):<{exe}}",
            *([painter(f"{ran:<{stages}}", "2")] if stages else []),
            f"{spent:>{time}}",
        )
        told = _told(call)
        signature = cut_middle(call.signature, self._room)
        padding = " " * (self._room - len(signature)) if self._beside and told else ""
        shown = _standing_out(signature, call.reasons, painter)
        line = f"{'  '.join(cells)}  {shown}{padding}"
        if told and self._beside:
            yield f"{line}  {_reason_line(told, call, self._width - self.indent - self._room - 2, painter)}\n"
            return
        yield line + "\n"
        if told:
            yield f"{' ' * self._below}{_reason_line(told, call, self._width - self._below, painter)}\n"


def _executable(call: Call) -> str:
    return f"#{call.executable}" if call.executable else "–"


def _told(call: Call) -> str:
    """The reason in one line: what was raised, or the first difference and how many more there are."""
    if call.error:
        return call.error
    if not call.reasons:
        return ""
    more = f"  (+{len(call.reasons) - 1} more)" if len(call.reasons) > 1 else ""
    return f"{call.reasons[0].text}{more}"


def _reason_line(told: str, call: Call, room: int, painter: Painter) -> str:
    first = not call.error and call.reasons[0].kind == "first_call"
    return painter(cut_middle(told, max(room, 20)), "31" if call.error else "2" if first else "33")


def _standing_out(signature: str, reasons: tuple[Reason, ...], painter: Painter) -> str:
    """The signature, with the arguments that differ from the nearest call in bold."""
    for reason in reasons:
        if reason.where and reason.now and len(reason.now) > 1:
            signature = signature.replace(reason.now, painter(reason.now, "1;33"), 1)
    return signature


def _details(call: Call, painter: Painter) -> Iterator[str]:
    """All that is known of a call that was not cached."""
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
        yield f"      {painter(reason.kind, '33')}  {reason.text}\n"
        if reason.hint:
            yield f"        {painter('hint', '36')}  {reason.hint}\n"
    if call.jax_says:
        said = call.jax_says.replace("\n", "\n        ")
        yield f"      {painter('JAX says', '2')}\n        {said}\n"


def totals(report: CallReport, painter: Painter) -> Iterator[str]:
    sums = report.totals
    verb = "planned, nothing was run: " if report.planned else ""
    disk = f" · {sums.disk_hits} from disk" if sums.disk_hits else ""
    spent = "" if report.planned else f" · {seconds(sums.seconds)}"
    entries = _count(sums.cache_entries, "cache entr", "y", "ies")
    told = (
        f"{verb}{_count(sums.calls, 'call')} · {_count(sums.compilations, 'compilation')}{disk} · "
        f"{entries} · {_count(sums.cache_hits, 'cache hit')}{spent}"
    )
    yield painter(told, "1") + "\n"
    yield from _functions(report.functions, report.planned, painter)
    yield from _work(report.ahead_of_time, "ahead of time (lower and compile)", painter)
    yield from _work(report.unwatched, "of functions that were jitted out of sight", painter)
    yield from _work(report.internal, "of JAX's own (eager operations)", painter)
    if report.omitted:
        yield painter(f"{_count(report.omitted, 'cached call')} without a row", "2") + "\n"
    yield from (_policy(policy, sums.compilations) for policy in report.policies)
    if report.stopped:
        yield painter(f"ended early: {report.stopped}", "31") + "\n"


def _functions(functions: tuple[FunctionTotals, ...], planned: bool, painter: Painter) -> Iterator[str]:
    if not functions:
        return
    name = max(len(one.function) for one in functions)
    where = max(len(shown_path(one.definition or "")) for one in functions)
    for one in functions:
        spent = "" if planned else f"  {seconds(one.seconds):>8}"
        counts = (
            f"{_count(one.calls, 'call'):>10}  {_count(one.compilations, 'compilation'):>15}  "
            f"{_count(one.cache_hits, 'hit'):>10}{spent}"
        )
        place = painter(f"{shown_path(one.definition or ''):<{where}}", "2")
        yield f"  {one.function:<{name}}  {place}  {counts}\n"


def _work(work: Work, what: str, painter: Painter) -> Iterator[str]:
    if work.compilations:
        told = f"+ {seconds(work.seconds)} for {_count(work.compilations, 'compilation')} {what}"
        yield painter(told, "2") + "\n"


def _policy(policy: Policy, today: int) -> str:
    return (
        f"with {policy.policy}: {_count(policy.compilations, 'compilation')} instead of {today}, "
        f"{policy.share:.1%} more elements ({policy.padded:,} padded)\n"
    )


def _count(number: int, what: str, one: str = "", many: str = "s") -> str:
    return f"{number:,} {what}{one if number == 1 else many}"
