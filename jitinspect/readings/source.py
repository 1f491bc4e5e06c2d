"""`source`: the Python source, each line with the equations, instructions, FLOPs and bytes it led to."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from jitinspect.errors import UsageError
from jitinspect.ir.attribution import MADE_BY_NO_LINE, Attribution, Line, attribute, is_users
from jitinspect.ir.hlo import device_count
from jitinspect.ir.program import Block, Program
from jitinspect.ir.source_files import SourceFiles
from jitinspect.model import Target
from jitinspect.model.readings import Source, SourceLine, SourceReport, WithoutLine
from jitinspect.process import garbage_collection
from jitinspect.process.paths import relative
from jitinspect.readings.communication.subjects import asking
from jitinspect.readings.cost_model.by_line import Asking, divided_by_line
from jitinspect.readings.cost_model.instruction_costs import program_cost
from jitinspect.stages.inspection import Subject
from jitinspect.stages.parsing import located
from jitinspect.stages.pipeline import Pipeline
from jitinspect.stages.views import unrolled_rows

STAGES = ("jaxpr", "stablehlo", "hlo")
_UNCOUNTED = frozenset((*MADE_BY_NO_LINE, "fusion"))


def read(target: Target, subjects: Iterator[Subject]) -> SourceReport:
    """The lines of the only subject. Raises `UsageError` for a sweep, and the errors of its stages."""
    subject, *others = subjects
    if others:
        raise UsageError("source shows a single call", hint="give each --dim one size")
    stages = _stages(subject.pipeline)
    latest_first = [_program(stage, stages, subject.pipeline) for stage in reversed(STAGES)]  # XLA takes most
    programs = reversed(latest_first)
    with garbage_collection.paused():
        source = _Reading(target.file, partial(asking, subject, target.file), *programs).source()
    return SourceReport(
        "source", replace(target, signature=subject.signature), replace(source, stages=stages)
    )


def _stages(pipeline: Pipeline) -> tuple[str, ...]:
    """Those that there are: a file has not all."""
    lacking = {"jaxpr": not pipeline.has_jaxpr, "stablehlo": not pipeline.has_lowered}
    return tuple(stage for stage in STAGES if not lacking.get(stage))


def _program(stage: str, stages: Collection[str], pipeline: Pipeline) -> Program:
    """Empty for a stage that is not among the `stages`."""
    nothing = Program(stage, [], [Block("", (), [], 0, 0, is_entry=True)])
    return located(stage, pipeline) if stage in stages else nothing


@dataclass(slots=True)
class _Tally:
    """What one line became."""

    equations: int = 0
    operations: int = 0
    instructions: int = 0
    flops: float = 0
    bytes: float = 0
    wire_bytes: float = 0
    fusions: dict[str, None] = field(default_factory=dict)


class _Reading:
    """The three programs of one function, and the lines that their operations are attributed to; `asking`
    says which lines asked for collectives, if there are any.
    """

    def __init__(
        self, file: str | None, asking: Callable[[], Asking], jaxpr: Program, stablehlo: Program, hlo: Program
    ) -> None:
        self._file = os.path.abspath(file) if file else None
        self._python = SourceFiles()
        self._tallies: dict[Line | None, _Tally] = {None: _Tally()}
        self._jaxpr, self._stablehlo, self._hlo = jaxpr, stablehlo, hlo
        self._asking = asking

    def source(self) -> Source:
        of_jaxpr, of_hlo = self._attributed(self._jaxpr), self._attributed(self._hlo)
        self._count(of_jaxpr, "equations")
        self._count(self._attributed(self._stablehlo), "operations")
        self._count(of_hlo, "instructions")
        self._name_fusions(of_hlo)
        self._add_costs(of_hlo)
        return Source(
            lines=tuple(self._lines()),
            without_line=self._without(),
            unrolled=tuple(unrolled_rows(self._jaxpr, of_jaxpr, self._python)),
            devices=device_count(self._hlo),
        )

    def _attributed(self, program: Program) -> Attribution:
        return attribute(program, self._file)

    def _count(self, attribution: Attribution, what: str) -> None:
        """An operation that several lines made, as in a function that both call, counts for each."""
        counts: Counter[Line | None] = Counter()
        for lines, count in attribution.counts(but=_UNCOUNTED).items():
            for line in lines or (None,):
                counts[line] += count
        for line, count in counts.items():
            setattr(self._tally(line), what, count)

    def _tally(self, line: Line | None) -> _Tally:
        return self._tallies.setdefault(line, _Tally())

    def _name_fusions(self, attribution: Attribution) -> None:
        for block, at in self._hlo.places(lambda one: one.opcode == "fusion"):
            for line in attribution.of(block)[at]:
                self._tally(line).fusions[block.operations[at].names[0]] = None

    def _add_costs(self, attribution: Attribution) -> None:
        costs = program_cost(self._hlo)
        asked = self._asking() if costs.wire_bytes else {}
        shares = divided_by_line(costs, attribution, asked)
        for line, flops, _, bytes_, sent in shares:
            tally = self._tally(line)
            tally.flops += flops
            tally.bytes += bytes_
            tally.wire_bytes += sent

    def _without(self) -> WithoutLine:
        one = self._tallies[None]
        return WithoutLine(
            one.equations,
            one.operations,
            one.instructions,
            round(one.flops),
            round(one.bytes),
            round(one.wire_bytes),
        )

    def _lines(self) -> Iterator[SourceLine]:
        """The whole of each traced function, but for all after the first line of a docstring. Sorted by file:
        the target's first, libraries last.
        """
        known = sorted(line for line in self._tallies if line is not None)
        by_flops = sum(one.flops for one in self._tallies.values()) > 0
        total = sum(one.flops if by_flops else one.bytes for one in self._tallies.values()) or 1
        for line in _in_order(self._shown(known), self._file):
            tally = self._tallies.get(line, _Tally())
            yield SourceLine(
                file=relative(line.file),
                line=line.line,
                text=self._python[line.file].text(line.line),
                equations=tally.equations,
                operations=tally.operations,
                instructions=tally.instructions,
                fusions=tuple(tally.fusions),
                flops=round(tally.flops),
                bytes=round(tally.bytes),
                share=(tally.flops if by_flops else tally.bytes) / total,
                wire_bytes=round(tally.wire_bytes),
            )

    def _shown(self, known: Iterable[Line]) -> set[Line]:
        return {
            Line(line.file, number)
            for line in known
            for number in self._python[line.file].function(line.line)
            if number not in self._python[line.file].docstrings
        }


def _in_order(lines: Collection[Line], first: str | None) -> list[Line]:
    users = {line.file: is_users(line.file) for line in lines}
    return sorted(lines, key=lambda line: (not users[line.file], line.file != first, line))
