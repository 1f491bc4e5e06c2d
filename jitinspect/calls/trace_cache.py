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

from jitinspect.calls import replay, slow_hits
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
    """What the user asked for. `argv` is for a program; `explain` adds JAX's own explanations."""

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
    """Called while the work goes on."""

    on_row: Callable[[Row], None] = lambda row: None
    on_start: Callable[[Phase, str], None] = lambda phase, name: None
    on_end: Callable[[Phase], None] = lambda phase: None
    on_note: Callable[[str], None] = lambda text: None
    on_progress: Callable[[int], None] = lambda characters: None
    on_begin: Callable[[Callable[[str], CallReport]], None] = lambda so_far: None
    """Gets a function that makes the report of the calls so far, in case something stops the work."""


@dataclass(frozen=True, slots=True)
class Result:
    """The report on all calls, and the error that stopped the script early, if any."""

    report: CallReport
    error: JitinspectError | None = None


def trace_cache(request: Request, listeners: Listeners) -> Result:
    """Run the script and watch its calls, or plan them.

    Raises `LoadError` for a script that cannot be read; later errors are in the result.
    """
    if request.plan:
        return _planned(request, listeners)
    if request.script.suffix == ".py":
        script, process = runner.script(request.script), os.getpid()
        call_log = _call_log(request, listeners)
        with call_log:
            outcome = runner.run(script, request.argv)
        if os.getpid() != process:  # a child that the program forked: the report is the parent's
            raise SystemExit(outcome.exit_code)
        return _result(_report(request, call_log), outcome.stopped, _fault(call_log), outcome.exit_code)
    return _replay(request, listeners)


def _planned(request: Request, listeners: Listeners) -> Result:
    paddings = [*map(parse_pad, request.pads), *map(parse_bucket, request.buckets)]
    plan, stopped, error = Plan(request.mesh, request.dims, paddings), None, None
    with open_script(request.script) as lines:
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
    code = INTERRUPTED if stopped else error.exit_code if error else 0 if plan.all_succeed else 4
    result = _result(plan.report(str(request.script)), stopped, error, code)
    unmatched = None if error or stopped else plan.unmatched()
    return result if unmatched is None else _with_error(result.report, unmatched)


def _with_error(report: CallReport, error: JitinspectError) -> Result:
    """The result for a script that ran to its end but had an error all the same."""
    return Result(replace(report, exit_code=error.exit_code, error=error.as_dict()), error)


def _result(report: CallReport, stopped: str | None, error: JitinspectError | None, code: int) -> Result:
    error_dict = error.as_dict() if error else None
    why = error.message if error else stopped
    exit_code = error.exit_code if error else code
    return Result(replace(report, stopped=why, exit_code=exit_code, error=error_dict), error)


def _call_log(request: Request, listeners: Listeners) -> CallLog:
    call_log = CallLog(
        listeners.on_row,
        listeners.on_start,
        listeners.on_end,
        most=MOST_ROWS,
        explain=request.explain,
        plannable=request.script.suffix != ".py",
    )
    listeners.on_begin(lambda stopped: _result(_report(request, call_log), stopped, None, INTERRUPTED).report)
    return call_log


def _replay(request: Request, listeners: Listeners) -> Result:
    stopped, error, all_succeed = None, None, True
    call_log = _call_log(request, listeners)
    with call_log, open_script(request.script) as lines:
        try:
            all_succeed = _make_all_calls(request, listeners, call_log, lines)
        except KeyboardInterrupt:
            stopped = "interrupted"
        except JitinspectError as raised:
            error = raised
    report = _report(request, call_log)
    error = error or _fault(call_log)
    code = error.exit_code if error else INTERRUPTED if stopped else 0 if all_succeed else 4
    return _result(report, stopped, error, code)


def _fault(call_log: CallLog) -> JitinspectError | None:
    """A fault of the call log itself; the program ran all the same."""
    if call_log.fault is None:
        return None
    detail = "".join(traceback.format_exception(call_log.fault))
    message = f"bug in jitinspect: {type(call_log.fault).__name__}: {call_log.fault}"
    return JitinspectError(message, hint="please report it with the traceback above", detail=detail)


def _make_all_calls(request: Request, listeners: Listeners, call_log: CallLog, lines: IO[str]) -> bool:
    """Whether every call succeeded."""
    targets, all_succeed = replay.Targets(), True
    for call in _calls(request, lines, listeners):
        with replay.located(call.at):
            all_succeed = (
                replay.make_calls(call, targets[call.ref], call_log, make_mesh(request.mesh)) and all_succeed
            )
        if request.stop and not all_succeed:
            break
    return all_succeed


def _calls(request: Request, lines: IO[str], listeners: Listeners) -> Iterator[ScriptCall]:
    """The calls, after enough CPU devices have been requested: a `.calls` script is read completely for
    that, a `.jsonl` is not.
    """
    for call in _read_script(request, lines, listeners):
        yield bind_call(call, request.dims)


def _read_script(request: Request, lines: IO[str], listeners: Listeners) -> Iterator[ScriptCall]:
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
    _ensure_devices(request, _calls_before_error(text, path), listeners)
    yield from read_calls(text, path)


def _note_passed_over(names: Mapping[str, str], listeners: Listeners) -> None:
    """A misspelt key would otherwise silently make a different call than was meant."""
    if names:
        quoted = ", ".join(f'"{name}"' for name in islice(names, 8)) + (", …" if len(names) > 8 else "")
        listeners.on_note(f"{next(iter(names.values()))}: ignored: {quoted}; a call has {', '.join(KEYS)}")


def _counted(lines: Iterable[str], on_progress: Callable[[int], None]) -> Iterator[str]:
    for line in lines:
        yield line
        on_progress(len(line))


def _calls_before_error(lines: list[str], path: str) -> list[ScriptCall]:
    """The calls up to the first line that cannot be read."""
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
def open_script(script: Path) -> Iterator[IO[str]]:
    """Raises `LoadError` for a script that cannot be read. Invalid UTF-8 is refused later, with its line."""
    try:
        stream = script.open(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise LoadError(f"{script} cannot be read: {error.strerror}") from None
    with stream:
        yield stream


def _report(request: Request, call_log: CallLog) -> CallReport:
    calls = tuple(rows(call_log))
    slow = call_log.slow_hits.slow_calls()
    functions = function_totals(calls, call_log.folded, slow)
    hits = {(one.function, one.definition): one.cache_hits for one in functions}
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
        warnings=tuple(call_log.warnings),
        notes=(*call_log.notes, *slow_hits.notes(slow, hits)),
        slow=slow,
    )
