"""`explore`: all texts of a function side by side, and how their lines belong together."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

from jitinspect.errors import UnavailableError, UsageError
from jitinspect.ir.attribution import Attribution, Line, attribute
from jitinspect.ir.origins import Origin, Origins
from jitinspect.ir.program import Program
from jitinspect.model import Target
from jitinspect.model.explorations import Exploration, Language, LineCost, Pane
from jitinspect.model.pass_histories import PassHistory
from jitinspect.model.profiles import ProfileReport
from jitinspect.model.readings import ExploreReport
from jitinspect.process import garbage_collection
from jitinspect.readings.cost_model.instruction_costs import program_cost
from jitinspect.readings.exploring import line_costs
from jitinspect.readings.exploring.histories import with_sets
from jitinspect.readings.exploring.kernel_panes import kernel_pane
from jitinspect.readings.exploring.line_costs import NOTHING_MEASURED, Measured, Spent
from jitinspect.readings.exploring.origin_table import OriginTable
from jitinspect.readings.exploring.python_panes import python_panes
from jitinspect.readings.exploring.stage_panes import stage_pane, unavailable_pane
from jitinspect.readings.pass_dumps import passes_of
from jitinspect.readings.pass_histories.recorder import Recorder
from jitinspect.stages.inspection import Read, Reader, Subject
from jitinspect.stages.kernel_texts import kernel_texts
from jitinspect.stages.parsing import program

_KERNELS: tuple[Language, ...] = ("llvm", "asm")
_STAGES: tuple[Language, ...] = ("jaxpr", "stablehlo", "hlo")


def read(target: Target, subjects: Iterator[Subject], passes: bool = False) -> ExploreReport:
    """All texts of the only subject; with `passes` also the history of its HLO. Raises `UsageError` for a
    sweep, and the errors of its stages, but for one that is not available.
    """
    subject, *others = subjects
    if others:
        raise UsageError("explore shows a single call", hint="give each --dim one size")
    recorder = recorded(subject, target) if passes else None
    made = exploration(subject, target.file, kernels=True, recorder=recorder)
    return ExploreReport("explore", replace(target, signature=subject.signature), made)


def recorded(subject: Subject, target: Target) -> Recorder:
    """Compiles with dumps of all passes. Raises as `pass_dumps.passes_of`."""
    recorder = Recorder()
    with passes_of(subject.pipeline, target, metadata=True) as all_ran:
        for one in all_ran:
            recorder.add(one)
    return recorder


def attached(read: Reader[Read]) -> Reader[Read]:
    """The same reader, whose report also has the exploration of its first subject: of that compilation."""

    def reader(target: Target, subjects: Iterator[Subject]) -> Read:
        first, others = next(subjects), subjects
        report = read(target, chain([first], others))
        with first.muted():
            return replace(report, exploration=exploration(first, target.file, _measured(report)))

    return reader


def _measured(report: Any) -> Measured:
    """The seconds of a profile; of other reports none."""
    if not isinstance(report, ProfileReport):
        return NOTHING_MEASURED
    found = report.profile
    by_op = {(one.program, one.op): one.seconds for one in found.by_op}
    return Measured(by_op, {f"{one.file}:{one.line}": one.seconds for one in found.by_line})


def exploration(
    subject: Subject,
    file: str | None,
    measured: Measured = NOTHING_MEASURED,
    kernels: bool = False,
    recorder: Recorder | None = None,
) -> Exploration:
    """Of one call; `file` is the target's. Compiles what is not compiled yet. With a `recorder` of the passes
    of that compilation it has their history.
    """
    return _Explorer(subject, file, measured, recorder).exploration(kernels)


class _Explorer:
    """Makes the panes of one call, from Python to machine code."""

    def __init__(
        self, subject: Subject, file: str | None, measured: Measured, recorder: Recorder | None
    ) -> None:
        self._subject = subject
        self._recorder = recorder
        self._history: PassHistory | None = None
        self._file = os.path.abspath(file) if file else None
        self._measured = measured
        self._table = OriginTable()
        self._by_line: Mapping[Line, Spent] = {}
        self._by_instruction: dict[str, tuple[Origin, ...]] = {}

    def exploration(self, kernels: bool) -> Exploration:
        texts = kernel_texts(self._subject.pipeline) if kernels else {}
        panes = [self._stage(stage) for stage in _STAGES]
        panes += [
            kernel_pane(stage, texts[stage], self._by_instruction, self._table)
            for stage in _KERNELS
            if stage in texts
        ]
        python = python_panes(self._table.lines(), self._file, self._table, self._by_line)
        return replace(self._table.exploration([*python, *panes]), history=self._history)

    def _stage(self, stage: Language) -> Pane:
        try:
            parsed = program(stage, self._subject.pipeline, names=True)
        except UnavailableError as error:
            return unavailable_pane(stage, error.message)
        with garbage_collection.paused():
            attribution = attribute(parsed, self._file)
            origins = Origins(parsed, attribution)
            costs = self._costs(parsed, attribution, origins) if stage == "hlo" else []
            if self._recorder and stage == "hlo":
                self._history = with_sets(self._recorder, origins, self._table)
            return stage_pane(parsed, origins, self._table, costs)

    def _costs(self, parsed: Program, attribution: Attribution, origins: Origins) -> list[LineCost]:
        """Those of HLO. The costs of lines, and the origins for kernels, come from there as well."""
        cost = program_cost(parsed)
        self._by_line = line_costs.of_lines(attribution, cost, self._measured)
        self._by_instruction = {one.names[0]: origins[one] for one in parsed.operations()}
        return line_costs.of_instructions(parsed, cost, self._measured)
