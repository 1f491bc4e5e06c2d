"""The runs of many executables, added up piece by piece: what is kept does not grow with their number."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cached_property
from statistics import median_high

from jitinspect.ir.program import Program
from jitinspect.ir.program_runs import Execution, ProgramRun, inner_by_name, self_seconds, settled, union
from jitinspect.readings.profiling.block_runs import block_runs
from jitinspect.readings.profiling.known_programs import KnownProgram, KnownPrograms
from jitinspect.readings.profiling.times import ProgramTimes


class Sums(ProgramTimes):
    """All runs of one executable, on all of its devices."""

    def __init__(self, module: str, known: KnownProgram | None) -> None:
        super().__init__((), known.program if known is not None else None)
        self._module = module
        self._parts_of_runs = 0.0
        self.unsure_seconds = 0.0
        self.devices: set[str] = set()
        self._spent: defaultdict[str, float] = defaultdict(float)
        self._counts: defaultdict[str, float] = defaultdict(float)
        self._whole: defaultdict[str, float] = defaultdict(float)

    def add(self, run: ProgramRun, weight: float, is_sure: bool, is_rest: bool = False) -> list[Execution]:
        """Its executions, with the true ends. `is_rest` is whether the recording before has its beginning."""
        self._parts_of_runs += 0.0 if is_rest else weight
        self.devices.add(run.device)
        inner = self._inner if self._is_known else inner_by_name([run])
        run = settled(run, inner)
        own = self_seconds(run, inner)
        for one, seconds in zip(run.executions, own, strict=True):
            self._spent[one.op] += seconds * weight
            self._counts[one.op] += weight
            self._whole[one.op] += one.seconds * weight
        self.unsure_seconds += 0.0 if is_sure else sum(own) * weight
        return run.executions

    @property
    def module(self) -> str:
        return self._module

    @property
    def is_known(self) -> bool:
        """Whether its HLO is."""
        return self._is_known

    @property
    def program(self) -> Program:
        """Without operations if it is not known."""
        return self._program

    @property
    def calls(self) -> float:
        """A run on several devices at once is one call."""
        return self._run_count / max(len(self.devices), 1)

    @cached_property
    def _run_count(self) -> float:
        """How often most operations of its entry ran, for two recordings may each have a part of a run; but
        no more than there are parts, for some operations have several events.
        """
        entry = self._program.entry.operations if self._is_known else ()
        counts = [self._counts[one.names[0]] for one in entry if one.names[0] in self._counts]
        return min([self._parts_of_runs, *([median_high(counts)] if counts else [])])

    @cached_property
    def _seconds(self) -> dict[str, float]:
        return self._spent

    @cached_property
    def _executions(self) -> Counter[str]:
        return Counter({name: round(count) for name, count in self._counts.items()})

    def _seconds_with_inner(self, name: str) -> float:
        return self._whole[name]

    @cached_property
    def _ran(self) -> dict[str, int]:
        return block_runs(self._program, self._executions, round(self._run_count))


class AllSums:
    """Of each executable; `covered_seconds` is the time in which at least one operation ran."""

    def __init__(self) -> None:
        self.by_program: dict[object, Sums] = {}
        self.covered_seconds = 0.0
        self._begun: set[tuple[str, int | None]] = set()
        """Devices and numbers of the runs of the recording before."""

    def add(self, runs: Iterable[ProgramRun], programs: KnownPrograms, weight: float = 1.0) -> None:
        """`runs` are those of one recording, which come in order."""
        executions: list[Execution] = []
        begun, self._begun = self._begun, set()
        for run in runs:
            found = programs.of(run)
            known = found.program
            key: object = (run.program, run.module) if known is None else known.text
            if key not in self.by_program:
                self.by_program[key] = Sums(run.module, known)
            which = (run.device, run.number)
            is_rest = run.number is not None and which in begun
            self._begun.add(which)
            executions += self.by_program[key].add(run, weight, found.is_sure, is_rest)
        executions.sort(key=lambda one: one.start)
        self.covered_seconds += weight * sum(end - start for start, end in union(executions))
