"""Compilations as they happen → what the program spent on them, by function and by call site, and why."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from jitinspect.model import MOST_WARNINGS, Work
from jitinspect.model.runs import (
    WRITTEN,
    Cause,
    Compilation,
    DiskUse,
    FunctionCost,
    RunReport,
    RunTotals,
    Site,
    Span,
    WorkKind,
)

MOST_KEPT = 10_000
"""Compilations beyond this many are added up but not listed; the limit for spans is three times as high."""
SLOWEST = 5
EXAMPLES = 3
MOST_REASONS = 3

Function = tuple[str, str | None]
"""Name and definition."""
Calls = Mapping[Function, Mapping[str | None, int]]
"""How often each function was called, by the line of the call."""


@dataclass(slots=True)
class _Cost:
    """Sums."""

    compilations: int = 0
    disk_hits: int = 0
    trace: float = 0.0
    lower: float = 0.0
    compile: float = 0.0
    avoidable: int = 0
    avoidable_seconds: float = 0.0
    recompilations: int = 0
    misses: int = 0

    def add(self, compilation: Compilation) -> None:
        self.misses += compilation.kind == "call"
        self.recompilations += compilation.compilations * is_recompile(compilation)
        self.compilations += compilation.compilations
        self.disk_hits += compilation.status == "DISK"
        self.trace += compilation.seconds.get("trace", 0.0)
        self.lower += compilation.seconds.get("lower", 0.0)
        self.compile += compilation.seconds.get("compile", 0.0)
        if compilation.avoidable:
            self.avoidable += compilation.compilations
            self.avoidable_seconds += compilation.spent


@dataclass(slots=True)
class _Site:
    definition: str | None
    kind: WorkKind
    compilations: int = 0
    disk_hits: int = 0
    seconds: float = 0.0
    causes: dict[Hashable, Cause] = field(default_factory=dict)


class Summary:
    """Takes each compilation once, and keeps no more of it than needed."""

    def __init__(self) -> None:
        self.compilations: list[Compilation] = []
        self.spans: list[Span] = []
        self.internal = Work()
        self.late: list[Compilation] = []
        self.warnings: dict[str, None] = {}
        self._omitted = 0
        self._disk: Counter[str] = Counter()
        self._internal_disk: Counter[str] = Counter()
        self._functions: dict[Function, _Cost] = {}
        self._sites: dict[tuple[str | None, Function], _Site] = {}
        self._total = _Cost()
        self._slowest: list[tuple[float, int, int, int, Compilation]] = []
        self._taken = itertools.count()

    def take_span(self, span: Span) -> None:
        if len(self.spans) < 3 * MOST_KEPT:
            self.spans.append(span)

    def take_warning(self, text: str) -> None:
        if len(self.warnings) < MOST_WARNINGS:
            self.warnings[text] = None

    def take(self, compilation: Compilation) -> None:
        (self._internal_disk if compilation.kind == "internal" else self._disk).update(compilation.disk)
        if compilation.kind == "internal":
            known, from_disk = self.internal, compilation.status == "DISK"
            self.internal = Work(
                known.compilations + compilation.compilations,
                known.seconds + compilation.spent,
                known.disk_hits + from_disk,
            )
            return
        if len(self.compilations) < MOST_KEPT:
            self.compilations.append(compilation)
        else:
            self._omitted += 1
        if compilation.late and len(self.late) < MOST_KEPT:
            self.late.append(compilation)
        self._total.add(compilation)
        self._functions.setdefault((compilation.function, compilation.definition), _Cost()).add(compilation)
        self._take_site(compilation)
        heapq.heappush(
            self._slowest,
            (compilation.spent, -compilation.seq, -compilation.process, -next(self._taken), compilation),
        )
        if len(self._slowest) > SLOWEST:
            heapq.heappop(self._slowest)

    def _take_site(self, compilation: Compilation) -> None:
        function = (compilation.function, compilation.definition)
        site = self._sites.setdefault(
            (compilation.at, function), _Site(compilation.definition, compilation.kind)
        )
        site.compilations += compilation.compilations
        site.disk_hits += compilation.status == "DISK"
        site.seconds += compilation.spent
        if compilation.compilations or compilation.status == "DISK":
            key = (compilation.avoidable, *((reason.kind, reason.where) for reason in compilation.reasons))
            if compilation.reasons:
                site.causes[key] = _cause(site.causes.get(key), compilation)

    def report(
        self,
        program: str,
        wall_seconds: float,
        calls: Calls | None = None,
        exit_code: int = 0,
        stopped: str | None = None,
        folder: str | None = None,
    ) -> RunReport:
        """Everything so far; `calls` if they were counted. `folder` is that of the on-disk cache."""
        functions = [_function(key, cost, calls) for key, cost in self._functions.items()]
        functions += [
            FunctionCost(*key, 0, 0, 0.0, 0.0, 0.0, calls=sum(lines.values()), hits=sum(lines.values()))
            for key, lines in (calls or {}).items()
            if key not in self._functions
        ]
        slowest = sorted(self._slowest, key=lambda entry: entry[:-1], reverse=True)
        return RunReport(
            program=program,
            functions=tuple(sorted(functions, key=lambda cost: -cost.seconds)),
            sites=tuple(sorted(self._site_list(calls), key=lambda site: -site.seconds)),
            totals=self._totals(wall_seconds, calls),
            internal=self.internal,
            slowest=tuple(compilation for *_, compilation in slowest),
            compilations=tuple(self.compilations),
            spans=tuple(self.spans),
            omitted=self._omitted,
            warnings=tuple(self.warnings),
            exit_code=exit_code,
            stopped=stopped,
            disk=self._disk_use(folder),
        )

    def _disk_use(self, folder: str | None) -> DiskUse | None:
        if not self._disk and not self._internal_disk:
            return None
        left = {reason: number for reason, number in self._disk.most_common() if reason != WRITTEN}
        return DiskUse(folder, self._disk[WRITTEN], left, self._internal_disk[WRITTEN])

    def _site_list(self, calls: Calls | None) -> Iterable[Site]:
        for (at, (function, _)), site in self._sites.items():
            causes = sorted(site.causes.values(), key=lambda cause: -cause.seconds)
            counted = None if calls is None else calls.get((function, site.definition), {}).get(at, 0)
            yield Site(
                at, function, site.definition, site.compilations, site.disk_hits, site.seconds,
                tuple(causes), counted, site.kind,
            )  # fmt: skip

    def _totals(self, wall_seconds: float, calls: Calls | None) -> RunTotals:
        cost = self._total
        counted = None if calls is None else sum(sum(lines.values()) for lines in calls.values())
        return RunTotals(
            cost.compilations, cost.disk_hits, cost.trace, cost.lower, cost.compile, wall_seconds,
            cost.avoidable, cost.avoidable_seconds, counted, cost.recompilations,
        )  # fmt: skip


def is_recompile(compilation: Compilation) -> bool:
    """Whether the definition had been compiled, or called, before."""
    return any(reason.kind != "first_call" for reason in compilation.reasons)


def _function(key: Function, cost: _Cost, calls: Calls | None) -> FunctionCost:
    counted = None if calls is None else sum(calls.get(key, {}).values())
    hits = None if counted is None else max(counted - cost.misses, 0)
    return FunctionCost(
        *key, cost.compilations, cost.disk_hits, cost.trace, cost.lower, cost.compile,
        cost.avoidable, cost.avoidable_seconds, counted, hits,
    )  # fmt: skip


def reasons_text(compilation: Compilation) -> str:
    """All reasons in one line; of many the first few, and the number of the rest."""
    texts, others = _first_reasons(compilation)
    return ", ".join(texts) + (f" (+{others} more)" if others else "")


def _first_reasons(compilation: Compilation) -> tuple[tuple[str, ...], int]:
    """The first few, and the number of the rest."""
    texts = tuple(dict.fromkeys(reason.text for reason in compilation.reasons))
    return texts[:MOST_REASONS], max(len(texts) - MOST_REASONS, 0) + compilation.more_differences


def _cause(known: Cause | None, compilation: Compilation) -> Cause:
    """A cause with one more compilation: the first one gives its text, a few others are kept as examples."""
    text = reasons_text(compilation)
    if known is None:
        first = compilation.reasons[0]
        hint = next((reason.hint for reason in compilation.reasons if reason.hint), None)
        return Cause(
            first.kind, first.where, text, 1, compilation.spent, compilation.avoidable, hint, (text,),
            *_first_reasons(compilation),
        )  # fmt: skip
    examples = known.examples
    if len(examples) < EXAMPLES and text not in examples:
        examples = (*examples, text)
    return replace(known, count=known.count + 1, seconds=known.seconds + compilation.spent, examples=examples)
