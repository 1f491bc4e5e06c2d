"""What a program compiled, for a terminal: a line for each compilation as it happens, and the summary."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TextIO

from jitinspect.model import Phase
from jitinspect.model.runs import (
    Cause,
    Check,
    Compilation,
    DiskUse,
    FunctionCost,
    Process,
    RunReport,
    Site,
    Uneven,
)
from jitinspect.render import program_compile_times, program_profile
from jitinspect.render.calls import STATUS_COLOURS
from jitinspect.render.log import CLEAR_LINE
from jitinspect.render.text import (
    Painter,
    count,
    cut_middle,
    joined,
    printable,
    seconds,
    shown_path,
    whole,
    whole_lines,
    wrapped,
)

MOST_SITES = 10
"""Call sites in the summary, unless verbose."""
_NAME = 16
"""The least columns for the name of a function."""
_FEW = 5
"""Up to this many compilations, the slowest are not listed."""


class RunLog:
    """Writes a line to `stream` (stderr) for each compilation. `live`, for a terminal, adds a status line
    that is erased again; `verbose` adds JAX's own compilations. While `must_wait`, because the program writes
    something that must stay in one piece, lines are kept until later.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        color: bool,
        live: bool,
        verbose: bool,
        width: int,
        must_wait: Callable[[], bool] = lambda: False,
    ) -> None:
        self._stream, self._live, self._verbose, self._width = stream, live, verbose, width
        self._painter = Painter(color)
        self._must_wait = must_wait
        self._kept: list[str] = []
        self._shown = False

    def on_compiling(self, so_far: Compilation) -> None:
        """Show what is being compiled, and why, while it lasts."""
        if self._live and not self._must_wait():
            reason = why(so_far) if so_far.kind != "internal" else ""
            room = self._width - 14  # one line, which can be erased again
            called = so_far.signature or so_far.function
            reason = reason if len(reason) + min(len(called), _LEAST) <= room else ""
            called = cut_middle(called, room - len(reason))
            self._write(cut_middle(f"compile  {called} …  {reason}".rstrip(), self._width - 1))
            self._shown = True

    def on_compilation(self, one: Compilation) -> None:
        if one.kind != "internal" or self._verbose:
            self._kept += lines(one, self._width, self._painter)
        if not self._must_wait():
            self.flush()

    def flush(self) -> None:
        """Write what was kept."""
        if self._kept or self._shown:
            self._write("".join(self._kept))
        self._kept.clear()
        self._shown = False

    def _write(self, text: str) -> None:
        """A failure to write the log must not stop the program."""
        try:
            self._stream.write((CLEAR_LINE if self._shown else "") + text)
            self._stream.flush()
        except (OSError, ValueError) as error:
            if isinstance(error, TimeoutError):  # the program's own, from a signal's handler
                raise


def lines(one: Compilation, width: int, painter: Painter) -> Iterator[str]:
    """`COMPILED   1.20 s  step(f32[17,8])  train.py:41  x: f32[32,8] → f32[17,8]`, cut to the width, but
    for the reason: if there is no room for all of it, it has lines of its own.
    """
    at, reason = shown_path(one.at) if one.at else "", why(one)
    first = one.reasons and one.reasons[0].kind == "first_call"
    sgr = "31" if one.raised else "2" if first or one.kind != "call" else "33"
    room = width - _INDENT - (len(at) + 2 if at else 0)
    if room < _LEAST:
        at, room = "", width - _INDENT
    called = one.signature or one.function
    beside = reason and width >= _WIDE and min(len(called), room // 2) + 2 + len(reason) <= room
    signature = cut_middle(called, room - len(reason) - 2 if beside else room)
    parts = [f"{_status(one, painter)}  {seconds(one.spent):>9}", signature, painter(at, "2")]
    if beside:
        parts.append(painter(reason, sgr))
    yield "  ".join(part for part in parts if part) + "\n"
    if reason and not beside:
        indent = _indent(width)
        room = width - indent
        below = [cut_middle(reason, room)] if one.raised else wrapped(reason, room)
        yield from (" " * indent + painter(text, sgr) + "\n" for text in below)


def _indent(width: int) -> int:
    """The indent of the lines below one."""
    return _INDENT if width >= 60 else 4


_INDENT = 21
_LEAST = 20
"""The least columns for a signature beside its place."""
_WIDE = 110
"""From this width on, a reason is beside its call."""


def _status(one: Compilation, painter: Painter) -> str:
    shown, sgr = ("RAISED", "31") if one.raised else (one.status, STATUS_COLOURS[one.status])
    return painter(f"{shown:<8}", sgr)


def why(one: Compilation) -> str:
    """The first reason and how many more there are; for anything but a call, what it is."""
    return printable(_why(one))


def _why(one: Compilation) -> str:
    if one.raised:
        return f"{one.error or 'raised'} (while {_DOING[one.raised]})"
    if one.kind != "call":
        return KINDS[one.kind] + (f": {one.reasons[0].text}" if one.reasons else "")
    if not one.reasons:
        return ""
    texts = list(dict.fromkeys(reason.text for reason in one.reasons))
    left = len(texts) - 1 + one.more_differences
    return texts[0] + (f" (+{left} more)" if left else "")


_DOING: dict[Phase, str] = {"trace": "tracing", "lower": "lowering", "compile": "compiling"}
KINDS = {
    "call": "",
    "ahead_of_time": "ahead of time",
    "backward": "backward pass",
    "eager": "outside jit",
    "other": "not through jax.jit",
    "internal": "by JAX itself",
}


def render(
    report: RunReport, color: bool, width: int, verbose: bool = False, quiet: bool = False
) -> Iterator[str]:
    """The summary in blocks of lines; `verbose` shows all call sites and hints, `quiet` only the checks."""
    painter, width = Painter(color), min(width, 10_000)
    if not quiet:
        heading = cut_middle(f"jitinspect {report.command} {report.program}".rstrip(), width)
        yield "\n" + painter(heading, "1") + "\n"
        yield from _totals(report, painter, width)
        yield from _functions(report.functions, report.totals.wall_seconds, painter, width)
        yield from _sites(report, painter, width, verbose)
        yield from _slowest(report, painter, width)
        if report.profile is not None:
            yield "\n" + painter("what ran", "1") + "\n"
            yield from program_profile.render(report.profile, painter, width, verbose)
        if report.compile_times is not None:
            yield "\n" + painter("what compilations took", "1") + "\n"
            yield from program_compile_times.render(report.compile_times, painter, width, verbose)
        yield from _processes(report.processes, painter, width, verbose)
        yield from _uneven(report.uneven, painter, width)
        for warning in report.warnings:
            yield from _wrapped(f"warning: {warning}", "31", painter, width)
        for note in report.notes:
            yield from _wrapped(f"note: {note}", "33", painter, width)
        if report.stopped:
            yield from _wrapped(f"ended early: {report.stopped}", "31", painter, width)
    yield from _checks(report.checks, painter, width)


def sums(report: RunReport) -> list[str]:
    """The totals, for one line."""
    totals = report.totals
    alone = totals.wall_seconds and not report.processes
    share = f", {totals.seconds / totals.wall_seconds:.0%}" if alone else ""
    return [
        count(totals.compilations, "compilation"),
        f"{seconds(totals.seconds)}{share} of {seconds(totals.wall_seconds)}",
        f"trace {seconds(totals.trace_seconds)}",
        f"lower {seconds(totals.lower_seconds)}",
        f"compile {seconds(totals.compile_seconds)}",
        *([f"{totals.disk_hits} from disk"] if totals.disk_hits else []),
        *([count(totals.calls, "call")] if totals.calls is not None else []),
    ]


def _totals(report: RunReport, painter: Painter, width: int) -> Iterator[str]:
    totals = report.totals
    yield from (text + "\n" for text in joined(sums(report), width))
    if totals.avoidable:
        of = f"{totals.avoidable} of {totals.compilations}"
        yield painter(f"{of} avoidable, {seconds(totals.avoidable_seconds)}", "1;33") + "\n"
    if report.internal.compilations:
        what = count(report.internal.compilations, "compilation")
        spent = seconds(report.internal.seconds)
        note = f"+ {spent} for {what} by JAX itself (eager operations); -v shows them"
        yield from _wrapped(note, "2", painter, width)
    if report.disk:
        yield from disk_lines(report.disk, painter, width)
    if report.omitted:
        yield painter(f"{count(report.omitted, 'compilation')} counted, but not listed", "2") + "\n"


def disk_lines(disk: DiskUse, painter: Painter, width: int) -> Iterator[str]:
    """What was written to the cache folder, and a line for each reason why something was not."""
    whole = disk.written + sum(disk.not_written.values())
    own = [f"{disk.written:,} of {count(whole, 'compilation')} written"] if whole else []
    if disk.internal_written:
        own += [f"{disk.internal_written:,} of JAX's own{'' if whole else ' written'}"]
    if own:
        folder = f"cache folder {disk.folder}" if disk.folder else "cache folder"
        yield from _wrapped(f"{folder}: {' + '.join(own)}", "2", painter, width)
    for reason, number in disk.not_written.items():
        yield from _wrapped(f"  {number:,} not written: {reason}", "2", painter, width)


def _wrapped(text: str, sgr: str, painter: Painter, width: int) -> Iterator[str]:
    wrapped = textwrap.wrap(printable(text), width, subsequent_indent="  ", **_WHOLE_WORDS)
    yield from (painter(part, sgr) + "\n" for part in wrapped)


def _functions(
    functions: tuple[FunctionCost, ...], wall: float, painter: Painter, width: int
) -> Iterator[str]:
    """One row each. A narrow terminal leaves out the columns of the stages, then the definition."""
    if not functions:
        return
    head = ["compiled", "trace", "lower", "compile", "total", "share"]
    head += ["avoidable"] if any(one.avoidable for one in functions) else []
    head += ["from disk"] if any(one.disk_hits for one in functions) else []
    head += ["calls", "hits"] if any(one.calls is not None for one in functions) else []
    dropped = iter(_DROPPED)
    if width < 118:
        gone = next(dropped)
        head = [word for word in head if word not in gone]
    while True:
        rows = [_cells(one, wall, head) for one in functions]
        rooms = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        left = width - sum(rooms) - 2 * len(rooms)
        if left >= _NAME or (less := next(dropped, None)) is None:
            break
        head = [word for word in head if word not in less]
    names = [_name(one, max(left, _NAME)) for one in functions]
    room = max([8, *(len(name) + (len(place) + 2 if place else 0) for name, place in names)])
    yield "\n" + painter(f"{'function':<{room}}  {_aligned(head, rooms)}", "2") + "\n"
    for (name, place), cells in zip(names, rows, strict=True):
        shown = f"{name}  {painter(place, '2')}" if place else name
        padding = " " * (room - len(name) - (len(place) + 2 if place else 0))
        yield f"{shown}{padding}  {_aligned(cells, rooms)}\n"


_DROPPED = (("trace", "lower", "compile"), ("share",), ("from disk",), ("avoidable",), ("hits",), ("calls",))
"""The order in which a narrow terminal leaves out columns."""


def _cells(one: FunctionCost, wall: float, head: Iterable[str]) -> list[str]:
    """The cell below each word of the head; empty for 0, except for calls and hits."""
    cells = {
        "compiled": f"{one.compilations:,}",
        "trace": seconds(one.trace_seconds),
        "lower": seconds(one.lower_seconds),
        "compile": seconds(one.compile_seconds),
        "total": seconds(one.seconds) if one.seconds else "",
        "share": f"{one.seconds / wall:.0%}" if wall and one.seconds else "",
        "avoidable": f"{one.avoidable:,}" if one.avoidable else "",
        "from disk": f"{one.disk_hits:,}" if one.disk_hits else "",
        "calls": f"{one.calls or 0:,}",
        "hits": f"{one.hits or 0:,}",
    }
    return [cells[word] for word in head]


def _name(one: FunctionCost, room: int) -> tuple[str, str]:
    """The function, and where it is defined if there is room."""
    place = shown_path(one.definition or "")
    if len(one.function) + 2 + len(place) <= room:
        return printable(one.function), place
    return cut_middle(one.function, room), ""


def _aligned(cells: Iterable[str], rooms: list[int]) -> str:
    return "  ".join(f"{cell:>{room}}" for cell, room in zip(cells, rooms, strict=True)).rstrip()


def _sites(report: RunReport, painter: Painter, width: int, verbose: bool) -> Iterator[str]:
    """For each line of the program, what compiled there again, and why."""
    sites = [site for site in report.sites if site.compilations or site.disk_hits]
    shown = sites if verbose else [site for site in sites if _is_worth_it(site)][:MOST_SITES]
    if not shown:
        return
    yield "\n" + painter("compiled again" if not verbose else "by call site", "2") + "\n"
    for site in shown:
        yield from _site(site, painter, width, verbose)
    left = len([site for site in sites if _is_worth_it(site)]) - len(shown)
    if left > 0:
        yield painter(f"and {count(left, 'more call site')}; -v shows all", "2") + "\n"


def _is_worth_it(site: Site) -> bool:
    return any(cause.kind != "first_call" for cause in site.causes)


def _site(site: Site, painter: Painter, width: int, verbose: bool) -> Iterator[str]:
    place = shown_path(site.at or site.definition or "?")
    calls = f" in {count(site.calls, 'call')}" if site.calls else ""
    times = f"{count(site.compilations, 'compilation')}{calls}, {seconds(site.seconds)}"
    what = f"  ({KINDS[site.kind]})" if site.kind != "call" else ""
    yield cut_middle(f"{place}  {site.function}{what}  {times}", width) + "\n"
    for cause in site.causes:
        if verbose or cause.kind != "first_call":
            yield from _cause(cause, painter, width, verbose)


def _cause(cause: Cause, painter: Painter, width: int, verbose: bool) -> Iterator[str]:
    head = f"  {cause.count:>4} ×  {seconds(cause.seconds):>8}"
    left = len(head) + (11 if cause.avoidable else 0) + 2
    head += painter("  avoidable", "33") if cause.avoidable else ""
    more = f"  and {cause.count - 1} more like it" if cause.count > 1 else ""
    texts, others = ((cause.text,), 0) if verbose or not cause.reasons else (cause.reasons, cause.more)
    indent = _indent(width)
    beside = whole(texts, others, width - left - len(more))
    if beside and (width >= _WIDE or beside == cause.text):
        yield f"{head}  {beside}{painter(more, '2')}\n"
    else:
        yield head + "\n"
        yield from _below(texts, others, more, painter, width)
    if verbose:
        for text in cause.examples[1:]:
            yield from (f"{'':{indent}}{line}\n" for line in wrapped(text, width - indent))
    if cause.hint and cause.kind != "first_call":
        hint = textwrap.wrap(printable(cause.hint), max(width - indent - 6, 24), **_WHOLE_WORDS)
        label = painter("hint", "36")
        yield from (f"{'':{indent}}{'    ' if n else label}  {text}\n" for n, text in enumerate(hint))


def _below(texts: Sequence[str], others: int, more: str, painter: Painter, width: int) -> Iterator[str]:
    """A cause on lines of its own. `more` is left out where it does not fit: the count is above."""
    indent = _indent(width)
    beside_more = whole(texts, others, width - indent - len(more))
    lines = [beside_more] if beside_more else whole_lines(texts, others, width - indent)
    yield from (f"{'':{indent}}{text}\n" for text in lines[:-1])
    fits = indent + len(lines[-1]) + len(more) <= width
    yield f"{'':{indent}}{lines[-1]}{painter(more, '2') if fits else ''}\n"


_WHOLE_WORDS: Any = {"break_long_words": False, "break_on_hyphens": False}


def _slowest(report: RunReport, painter: Painter, width: int) -> Iterator[str]:
    if report.totals.compilations > _FEW:
        yield "\n" + painter("slowest", "2") + "\n"
        for one in report.slowest:
            yield from lines(one, width, painter)


def _processes(processes: tuple[Process, ...], painter: Painter, width: int, verbose: bool) -> Iterator[str]:
    """A line each; of many, those that ended alike have one together unless `verbose`."""
    if not processes:
        return
    yield "\n" + painter("processes", "2") + "\n"
    alike: dict[tuple[object, ...], list[Process]] = {}
    for one in processes:
        is_alone = verbose or len(processes) <= _FEW_PROCESSES
        key = (one.name,) if is_alone else (one.compilations, one.ended, one.exit_code, one.under_way)
        alike.setdefault(key, []).append(one)
    groups = [(_names(ones), ones) for ones in alike.values()]
    room = max(len(name) for name, _ in groups)
    for name, ones in groups:
        ended = f"exit code {ones[0].exit_code}" if ones[0].ended else "no exit: killed, or still running"
        during = f", during {ones[0].under_way}" if ones[0].under_way else ""
        each = " each" if len(ones) > 1 else ""
        compiled = f"{count(ones[0].compilations, 'compilation')}{each}"
        parts = [
            f"{name:<{room}}  {compiled}, {_span([one.seconds for one in ones])}",
            f"of {_span([one.wall_seconds for one in ones])}",
            ended + during,
        ]
        yield from _wrapped("  ".join(parts), "" if ones[0].ended else "31", painter, width)


_FEW_PROCESSES = 8


def _names(processes: list[Process]) -> str:
    """`0, 1, 2 and 197 more`."""
    names = ", ".join(one.name for one in processes[:3])
    return f"{names} and {len(processes) - 3} more" if len(processes) > 3 else names


def _span(durations: list[float]) -> str:
    least, most = seconds(min(durations)), seconds(max(durations))
    return least if least == most else f"{least} to {most}"


def _uneven(uneven: tuple[Uneven, ...], painter: Painter, width: int) -> Iterator[str]:
    if not uneven:
        return
    yield "\n" + painter("compiled differently across processes", "1;33") + "\n"
    for one in uneven:
        counts = ", ".join(f"{name}: {number}" for name, number in one.counts.items())
        place = shown_path(one.definition or "")
        shown = f"  ({counts})" if one.what != "order differs" else ""
        yield cut_middle(f"  {one.function}  {place}  {one.what}{shown}", width) + "\n"
        if one.shared:
            warning = "    they compute it together: if one does not join, the others hang"
            yield painter(cut_middle(warning, width), "31") + "\n"
        yield from (f"    {cut_middle(text, width - 4)}\n" for text in one.details)


def _checks(checks: tuple[Check, ...], painter: Painter, width: int) -> Iterator[str]:
    for check in checks:
        mark = painter("passed", "32") if check.held else painter("FAILED", "1;31")
        yield f"{mark}  {cut_middle(check.limit, max(width - 8, 24))}\n"
        for text in check.why:
            yield from (f"    {line}\n" for line in wrapped(text, max(width - 4, 24)))
