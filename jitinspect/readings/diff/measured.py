"""Two saved reports on time → what changed. Calls of the same sizes are compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, TypeGuard

from jitinspect.errors import LoadError
from jitinspect.model.compile_times import CompileTime, CompileTimeReport, KernelTime, LineTime, PassTime
from jitinspect.model.differences import Difference, DiffReport, Quantity, Summary
from jitinspect.model.profiles import Profile, ProfileReport, TimeOfLine, TimeOfOp
from jitinspect.model.program_profiles import ProgramProfile, TimeOfFunction, TraceReport
from jitinspect.model.runs import RunReport
from jitinspect.model.time_differences import TimeDifference
from jitinspect.readings.diff.times_changed import Measured, TimedPart, mean, times_changed

Timed: TypeAlias = CompileTimeReport | ProfileReport | TraceReport | RunReport


def is_timed(report: object) -> TypeGuard[Timed]:
    """Whether it is on time: a run has a profile only if it was asked for."""
    if isinstance(report, RunReport):
        return report.profile is not None
    return isinstance(report, CompileTimeReport | ProfileReport | TraceReport)


def compare_times(before: Sequence[Timed], after: Sequence[Timed], labels: tuple[str, str]) -> DiffReport:
    """Several reports of a side are measurements of one thing.

    Raises `LoadError` unless all are of one command and both sides have a call of the same sizes.
    """
    old, new = (" and ".join(sorted({one.command for one in side})) for side in (before, after))
    if old != new or " and " in old:
        raise LoadError(f"only reports of one command compare: {labels[0]} is of {old}, {labels[1]} of {new}")
    times = _differences(_calls(before), _calls(after))
    if not times:
        raise LoadError(f"{labels[0]} and {labels[1]} have no call of the same sizes")
    same = all(one.same for one in times)
    return DiffReport("diff", *labels, Difference(same, Summary(Quantity(None, None))), times=times)


def _calls(reports: Sequence[Timed]) -> list[Measured]:
    """One for each size in a sweep."""
    by_size: dict[tuple[tuple[str, int], ...], list[Measured]] = {}
    for one in (measured for report in reports for measured in _measured(report)):
        by_size.setdefault(tuple(one.dims.items()), []).append(one)
    return list(map(mean, by_size.values()))


def _differences(before: Sequence[Measured], after: Sequence[Measured]) -> tuple[TimeDifference, ...]:
    """Two single calls are compared whatever their sizes are."""
    if len(before) == len(after) == 1:
        return (times_changed(before[0], after[0]),)
    return tuple(times_changed(old, new) for old in before for new in after if old.dims == new.dims)


def _measured(report: Timed) -> list[Measured]:
    if isinstance(report, CompileTimeReport):
        return list(map(_of_compile, report.sweep or (report.compile_time,)))
    if isinstance(report, ProfileReport):
        return [_of_profile(report.profile)]
    return [_of_program(report.profile)] if report.profile else []


def _of_profile(profile: Profile) -> Measured:
    parts = {
        "line": [_of_line(one) for one in profile.by_line],
        "operation": [_of_op(one) for one in profile.by_op],
    }
    calls = [one.wall_seconds for one in profile.by_call]
    return Measured("a call", profile.wall_seconds, parts, calls)


def _of_program(profile: ProgramProfile) -> Measured:
    """By operations: what the program does between its calls is not in them."""
    parts = {
        "function": list(map(_of_function, profile.functions)),
        "line": [_of_line(one) for one in profile.by_line],
        "operation": [_of_op(one) for one in profile.by_op],
    }
    return Measured("all operations", profile.op_seconds, parts)


def _of_compile(one: CompileTime) -> Measured:
    parts = {
        "stage": [TimedPart(stage, seconds, stage) for stage, seconds in one.wall_seconds.items()],
        "line": [_of_line(line) for line in one.by_line],
        "phase": [TimedPart(phase.phase, phase.seconds, phase.phase) for phase in one.phases],
        "pass": list(map(_of_pass, one.passes)),
        "kernel": list(map(_of_kernel, one.kernels)),
    }
    return Measured("trace, lower, compile", sum(one.wall_seconds.values()), parts, dims=one.dims)


def _of_line(one: TimeOfLine | LineTime) -> TimedPart:
    """A line that has moved is known by its text."""
    text = one.text.strip()
    if one.file is None:
        return TimedPart("no line", one.seconds, "")
    place = f"{one.file}:{one.line}"
    return TimedPart(text or place, one.seconds, (place, text), (one.file, text), (place,))


def _of_function(one: TimeOfFunction) -> TimedPart:
    """One that has moved is known by its name."""
    lines = (one.definition,) if one.definition else ()
    return TimedPart(one.function, one.seconds, (one.function, one.definition), one.function, lines)


def _of_op(one: TimeOfOp) -> TimedPart:
    return TimedPart(one.op, one.seconds, (one.program, one.op), None, one.lines)


def _of_pass(one: PassTime) -> TimedPart:
    name = f"{one.pass_} of {one.pipeline}" if one.pipeline else one.pass_
    return TimedPart(name, one.seconds, (one.pipeline, one.pass_))


def _of_kernel(one: KernelTime) -> TimedPart:
    return TimedPart(one.kernel, one.seconds, one.kernel, None, one.lines)
