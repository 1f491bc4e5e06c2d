"""Recordings of a whole program → where its time went, by jitted function and by Python line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from jitinspect.ir.source_files import SourceFiles
from jitinspect.model.program_profiles import ProgramProfile, TimeOfFunction, Unmeasured
from jitinspect.process import garbage_collection
from jitinspect.process.paths import relative
from jitinspect.readings.profiling.definitions import Definitions, function_of
from jitinspect.readings.profiling.rows import Rows
from jitinspect.readings.profiling.sums import AllSums, Sums


@dataclass(frozen=True, slots=True)
class Recorded:
    """How long was recorded, and in how many `pieces`: `compile_seconds` is None if that is not known;
    `is_estimate` if not all was.
    """

    wall_seconds: float
    recorded_seconds: float
    compile_seconds: float | None = None
    unmeasured: tuple[Unmeasured, ...] = ()
    is_estimate: bool = False
    pieces: int = 1


def program_profile(sums: AllSums, recorded: Recorded) -> ProgramProfile:
    """Joins what was added up with the HLO of each executable."""
    sources = SourceFiles()
    everything = list(sums.by_program.values())
    rows = Rows(everything, 1, sources)
    with garbage_collection.paused():
        by_line, by_op, loops, stacks = rows.by_line(), rows.by_op(), rows.loops(), rows.stacks()
        functions = _functions(everything, sources, rows.seconds)
    devices = sorted({device for one in everything for device in one.devices})
    return ProgramProfile(
        wall_seconds=recorded.wall_seconds,
        covered_seconds=sums.covered_seconds,
        op_seconds=rows.seconds,
        recorded_seconds=recorded.recorded_seconds,
        functions=functions,
        by_line=by_line,
        by_op=by_op,
        loops=loops,
        stacks=stacks,
        compile_seconds=recorded.compile_seconds,
        host_seconds=_left(recorded, sums.covered_seconds),
        unsure_seconds=sum(one.unsure_seconds for one in everything),
        unmeasured=recorded.unmeasured,
        is_estimate=recorded.is_estimate,
        pieces=recorded.pieces,
        without_hlo=tuple(sorted({one.module for one in everything if not one.is_known})),
        devices=tuple(devices),
        untested=next((name for name in devices if not name.startswith("CPU")), None),
    )


def _left(recorded: Recorded, covered: float) -> float | None:
    """What is neither computing nor compiling."""
    if recorded.compile_seconds is None:
        return None
    lost = sum(one.seconds for one in recorded.unmeasured)
    return max(0.0, recorded.wall_seconds - lost - covered - recorded.compile_seconds)


@dataclass(slots=True)
class _Function:
    executables: int = 0
    calls: float = 0.0
    seconds: float = 0.0


def _functions(everything: Sequence[Sums], sources: SourceFiles, total: float) -> tuple[TimeOfFunction, ...]:
    definitions = Definitions(sources)
    found: defaultdict[tuple[str, str | None], _Function] = defaultdict(_Function)
    for one in everything:
        definition = definitions.of(one.module, one.program)
        function = found[function_of(one.module), relative(definition)]
        function.executables += 1
        function.calls += one.calls
        function.seconds += one.seconds
    rows = (
        TimeOfFunction(
            *key, one.executables, round(one.calls), one.seconds, one.seconds / total if total else 0.0
        )
        for key, one in found.items()
    )
    return tuple(sorted(rows, key=lambda row: -row.seconds))
