"""A script → a report on its calls: run and watched, or planned."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import IO

from jitinspect.calls import replay
from jitinspect.calls.call_log import CallLog
from jitinspect.calls.entries import Row
from jitinspect.calls.plan.padding import parse_bucket, parse_pad
from jitinspect.calls.plan.script import Plan
from jitinspect.calls.report import function_totals, rows, totals
from jitinspect.errors import INTERRUPTED, JitinspectError, LoadError, UsageError
from jitinspect.jaxapi import devices
from jitinspect.model import MOST_ROWS, CallReport, Phase
from jitinspect.process import runner
from jitinspect.specs import ScriptCall, bind_call
from jitinspect.specs.scripts import KEYS, read_calls, read_jsonl
from jitinspect.targets.arguments.build import devices_needed, make_mesh


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for. `argv` is for a program; `explain` asks JAX for its own reasons, too."""

    script: Path
    argv: tuple[str, ...] = ()
    plan: bool = False
    pads: tuple[str, ...] = ()
    buckets: tuple[str, ...] = ()
    mesh: tuple[tuple[str, int], ...] = ()
    dims: Mapping[str, int] = field(default_factory=dict)
    stop: bool = False
    explain: bool = False


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who is told while the work goes on."""

    on_row: Callable[[Row], None] = lambda row: None
    on_start: Callable[[Phase, str], None] = lambda phase, name: None
    on_end: Callable[[Phase], None] = lambda phase: None
    on_note: Callable[[str], None] = lambda text: None
    on_progress: Callable[[int], None] = lambda characters: None
    on_begin: Callable[[Callable[[str], CallReport]], None] = lambda so_far: None
    """Is given what makes the report of the calls so far, if something should stop the work."""


@dataclass(frozen=True, slots=True)
class Result:
    """The report of all calls there were, and what ended the script before its end, if anything did."""

    report: CallReport
    error: JitinspectError | None = None


def trace_cache(request: Request, listeners: Listeners) -> Result:
    """Run the script and watch its calls, or plan them.

    Raises `LoadError` for a script that cannot be read; whatever goes wrong later is in the result.
    """
    if request.plan:
        return _planned(request, listeners)
    if request.script.suffix == ".py":
        script, process = runner.script(request.script), os.getpid()
        call_log = _call_log(request, listeners)
        with call_log:
            outcome = runner.run(script, request.argv)
        if os.getpid() != process:  # a child that the program forked: what is told here is not its to tell
            raise SystemExit(outcome.exit_code)
        return _ended(_report(request, call_log), outcome.stopped, _fault(call_log), outcome.exit_code)
    return _replay(request, listeners)


def _planned(request: Request, listeners: Listeners) -> Result:
    paddings = [*map(parse_pad, request.pads), *map(parse_bucket, request.buckets)]
    plan, stopped, error = Plan(request.mesh, request.dims, paddings), None, None
    with opened(request.script) as lines:
        try:
            if request.script.suffix == ".jsonl":
                _ensure_devices(request, [], listeners)
                plan.take_lines(lines, str(request.script), listeners.on_progress)
                _note_passed_over(plan.passed_over, listeners)
            else:
                for call in _calls(request, lines, listeners):
                    plan.take(call)
        except KeyboardInterrupt:
            stopped = "interrupted"
        except JitinspectError as raised:
            error = raised
    code = INTERRUPTED if stopped else error.exit_code if error else 0 if plan.fine else 4
    result = _ended(plan.report(str(request.script)), stopped, error, code)
    unmet = None if error or stopped else plan.unmet()
    return result if unmet is None else _with_error(result.report, unmet)


def _with_error(report: CallReport, error: JitinspectError) -> Result:
    """A script that came to its end, and what was wrong with it all the same."""
    return Result(replace(report, exit_code=error.exit_code, error=error.as_dict()), error)


def _ended(report: CallReport, stopped: str | None, error: JitinspectError | None, code: int) -> Result:
    told = error.as_dict() if error else None
    why = error.message if error else stopped
    exit_code = error.exit_code if error else code
    return Result(replace(report, stopped=why, exit_code=exit_code, error=told), error)


def _call_log(request: Request, listeners: Listeners) -> CallLog:
    call_log = CallLog(
        listeners.on_row,
        listeners.on_start,
        listeners.on_end,
        most=MOST_ROWS,
        explain=request.explain,
        plannable=request.script.suffix != ".py",
    )
    listeners.on_begin(lambda stopped: _ended(_report(request, call_log), stopped, None, INTERRUPTED).report)
    return call_log


def _replay(request: Request, listeners: Listeners) -> Result:
    stopped, error, fine = None, None, True
    call_log = _call_log(request, listeners)
    with call_log, opened(request.script) as lines:
        try:
            fine = _make_all(request, listeners, call_log, lines)
        except KeyboardInterrupt:
            stopped = "interrupted"
        except JitinspectError as raised:
            error = raised
    report = _report(request, call_log)
    error = error or _fault(call_log)
    code = error.exit_code if error else INTERRUPTED if stopped else 0 if fine else 4
    return _ended(report, stopped, error, code)


def _fault(call_log: CallLog) -> JitinspectError | None:
    """A fault of the call log's own; the program ran all the same."""
    if call_log.fault is None:
        return None
    detail = "".join(traceback.format_exception(call_log.fault))
    message = f"bug in jitinspect: {type(call_log.fault).__name__}: {call_log.fault}"
    return JitinspectError(message, hint="please report it with the traceback above", detail=detail)


def _make_all(request: Request, listeners: Listeners, call_log: CallLog, lines: IO[str]) -> bool:
    """Whether every call went well."""
    targets, fine = replay.Targets(), True
    for call in _calls(request, lines, listeners):
        with replay.located(call.at):
            fine = replay.make(call, targets[call.ref], call_log, make_mesh(request.mesh)) and fine
        if request.stop and not fine:
            break
    return fine


def _calls(request: Request, lines: IO[str], listeners: Listeners) -> Iterator[ScriptCall]:
    """The calls, after as many CPU devices as they need have been asked for: of a `.calls` script all are
    read before, of a `.jsonl` none.
    """
    for call in _as_written(request, lines, listeners):
        yield bind_call(call, request.dims)


def _as_written(request: Request, lines: IO[str], listeners: Listeners) -> Iterator[ScriptCall]:
    path = str(request.script)
    if request.script.suffix == ".jsonl":
        _ensure_devices(request, [], listeners)
        passed_over: dict[str, str] = {}
        for call in read_jsonl(_counted(lines, listeners.on_progress), path):
            for name in call.passed_over:
                passed_over.setdefault(name, call.at)
            yield call
        _note_passed_over(passed_over, listeners)
        return
    text = lines.readlines()
    _ensure_devices(request, _readable(text, path), listeners)
    yield from read_calls(text, path)


def _note_passed_over(names: Mapping[str, str], listeners: Listeners) -> None:
    """A misspelt key would else make another call than was meant, and nobody would know."""
    if names:
        told = ", ".join(f'"{name}"' for name in islice(names, 8)) + (", …" if len(names) > 8 else "")
        listeners.on_note(f"{next(iter(names.values()))}: ignored: {told}; a call has {', '.join(KEYS)}")


def _counted(lines: Iterable[str], on_progress: Callable[[int], None]) -> Iterator[str]:
    for line in lines:
        yield line
        on_progress(len(line))


def _readable(lines: list[str], path: str) -> list[ScriptCall]:
    """The calls up to the first line that does not read."""
    found: list[ScriptCall] = []
    with suppress(UsageError):
        found.extend(read_calls(lines, path))
    return found


def _ensure_devices(request: Request, calls: list[ScriptCall], listeners: Listeners) -> None:
    arguments = [argument for call in calls for argument in call.call.arguments]
    needed = devices_needed(request.mesh, arguments)
    if devices.ensure_cpu_devices(needed):
        listeners.on_note(f"made {needed} CPU devices, as the mesh and the placements ask")


@contextmanager
def opened(script: Path) -> Iterator[IO[str]]:
    """Raises `LoadError` for a script that cannot be read. What is no UTF-8 is refused with its line."""
    try:
        stream = script.open(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise LoadError(f"{script} cannot be read: {error.strerror}") from None
    with stream:
        yield stream


def _report(request: Request, call_log: CallLog) -> CallReport:
    calls = tuple(rows(call_log))
    functions = function_totals(calls, call_log.folded)
    disk_hits = sum(call.status == "DISK" for call in calls)
    return CallReport(
        script=str(request.script),
        calls=calls,
        functions=functions,
        totals=totals(functions, call_log.verdicts.executables, disk_hits),
        internal=call_log.internal,
        ahead_of_time=call_log.ahead,
        unwatched=call_log.unwatched,
        omitted=sum(call_log.folded.values()),
    )
