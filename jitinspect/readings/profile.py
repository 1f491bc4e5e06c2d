"""`profile`: where the time of a call goes, measured, by line, operation and loop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from statistics import fmean

from jitinspect.errors import UsageError
from jitinspect.ir.program_runs import ProgramRun, covered, union
from jitinspect.ir.source_files import SourceFiles
from jitinspect.model import Target
from jitinspect.model.profiles import Executed, Profile, ProfileReport, TimeOfCall, TimeOfDevice
from jitinspect.process import garbage_collection
from jitinspect.readings.profiling.programs import times_by_program
from jitinspect.readings.profiling.rows import Rows
from jitinspect.stages.inspection import Subject
from jitinspect.stages.timed_calls import OnCalls, OnRun, TimedCall, TimedCalls, timed_calls

_TESTED = "CPU"
_MOST_SHOWN = 10_000
"""Executions of a timeline."""


def read(
    target: Target,
    subjects: Iterator[Subject],
    calls: int | None = None,
    on_run: OnRun = nullcontext,
    on_calls: OnCalls = lambda count, seconds: None,
) -> ProfileReport:
    """Compiles and runs the only subject. Raises `UsageError` for a sweep, and what `timed_calls` raises."""
    subject, *others = subjects
    if others:
        raise UsageError("profile runs a single call", hint="give each --dim one size")
    timed = timed_calls(subject, calls, on_run, on_calls)
    with garbage_collection.paused():
        found = _profile(timed.without_overhead(), target.file)
        found = replace(found, signature=subject.signature, overhead=timed.overhead)
    return ProfileReport("profile", replace(target, signature=subject.signature), found)


def _profile(timed: TimedCalls, file: str | None) -> Profile:
    calls = timed.calls
    programs = times_by_program(timed.runs, timed.text_of, file)
    runs = [run for program in programs for run in program.runs]
    devices = sorted({run.device for run in runs})
    rows = Rows(programs, len(calls) * max(len(devices), 1), SourceFiles())
    by_call = tuple(TimeOfCall(call.wall_seconds, _covered(call, runs)) for call in calls)
    typical = sorted(calls, key=lambda call: call.wall_seconds)[len(calls) // 2]
    return Profile(
        calls=len(calls),
        wall_seconds=fmean(one.wall_seconds for one in by_call),
        covered_seconds=fmean(one.covered_seconds for one in by_call),
        by_line=rows.by_line(),
        by_op=rows.by_op(),
        op_seconds=rows.seconds,
        loops=rows.loops(),
        by_call=by_call,
        by_device=tuple(_of_device(device, calls, runs) for device in devices),
        values=timed.values,
        warm_up=timed.warm_up,
        untested=next((device for device in devices if not device.startswith(_TESTED)), None),
        code=rows.code(),
        stacks=rows.stacks(),
        timeline=tuple(_timeline(typical, runs)),
    )


def _covered(call: TimedCall, runs: Sequence[ProgramRun]) -> float:
    """The seconds of the call in which an operation ran."""
    ran = sorted((one for run in call.of(runs) for one in run.executions), key=lambda one: one.start)
    return covered(list(union(ran)), call.start, call.end)


def _of_device(device: str, calls: Sequence[TimedCall], runs: Sequence[ProgramRun]) -> TimeOfDevice:
    own = [run for run in runs if run.device == device]
    return TimeOfDevice(device, fmean(_covered(call, own) for call in calls))


def _timeline(call: TimedCall, runs: Sequence[ProgramRun]) -> list[Executed]:
    """In the order of their starts; of very many, the longest."""
    ran = [(one, run.device) for run in call.of(runs) for one in run.executions]
    shown = sorted(ran, key=lambda pair: -pair[0].seconds)[:_MOST_SHOWN]
    return [
        Executed(one.op, one.start - call.start, one.seconds, one.track, device)
        for one, device in sorted(shown, key=lambda pair: pair[0].start)
    ]
