"""All programs of a recording, each with where its time went."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from jitinspect.ir import hlo
from jitinspect.ir.program import Program
from jitinspect.ir.program_runs import ProgramRun
from jitinspect.readings.profiling.times import ProgramTimes


def times_by_program(
    runs: Iterable[ProgramRun], text_of: Callable[[int], str | None], own: str | None = None
) -> list[ProgramTimes]:
    """One for each program, the one that took longest first. `text_of` gives the optimized HLO, in the form
    of `Compiled.as_text()`, of the program of that number; None if it is not known.
    """
    groups: dict[tuple[int | None, str], list[ProgramRun]] = {}
    for run in runs:
        groups.setdefault((run.program, run.module), []).append(run)
    found = [
        ProgramTimes(group, None if number is None else _parsed(text_of(number)), own)
        for (number, _), group in groups.items()
    ]
    return sorted(found, key=lambda times: -times.seconds)


def _parsed(text: str | None) -> Program | None:
    return None if text is None else hlo.readable(text)
