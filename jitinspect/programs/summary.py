"""Compilations as they happen → what the program spent on them, by function and by call site, and why."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field

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

    def add(self, alike: Alike, trace: float, lower: float, compile: float, spent: float) -> None:
        self.misses += alike.misses
        self.recompilations += alike.recompilations
        self.compilations += alike.compilations
        self.disk_hits += alike.disk_hits
        self.trace += trace
        self.lower += lower
        self.compile += compile
        if alike.avoidable:
            self.avoidable += alike.compilations
            self.avoidable_seconds += spent


@dataclass(slots=True)
class _Site:
    definition: str | None
    kind: WorkKind
    compilations: int = 0
    disk_hits: int = 0
    seconds: float = 0.0
    causes: dict[Hashable, _Cause] = field(default_factory=dict)


@dataclass(slots=True)
class _Cause:
    """`first` is the first compilation for this cause, which gives its text; a few others are examples."""

    first: Compilation
    examples: list[str]
    count: int = 0
    seconds: float = 0

    def told(self) -> Cause:
        first, reasons = self.first.reasons[0], self.first.reasons
        hint = next((reason.hint for reason in reasons if reason.hint), None)
        return Cause(
            first.kind, first.where, self.examples[0], self.count, self.seconds, self.first.avoidable, hint,
            tuple(self.examples), *_first_reasons(self.first),
        )  # fmt: skip


class Alike:
    """Compilations that differ only in their times: what each adds, and to which sums. `example` is the first
    of them.
    """

    __slots__ = (
        "avoidable", "cause", "compilations", "disk", "disk_hits", "example", "function", "internal",
        "misses", "recompilations", "site",
    )  # fmt: skip

    def __init__(self, example: Compilation, summary: Summary) -> None:
        self.example = example
        self.internal = example.kind == "internal"
        self.compilations = example.compilations
        self.disk_hits = int(example.status == "DISK")
        self.misses = int(example.kind == "call")
        self.recompilations = example.compilations * is_recompile(example)
        self.avoidable, self.disk = example.avoidable, example.disk
        if not self.internal:
            self.function, self.site, self.cause = summary.sums_of(example)


class Summary:
    """Takes each compilation once, and keeps no more of it than needed."""

    def __init__(self) -> None:
        self.compilations: list[Compilation] = []
        self.spans: list[Span] = []
        self.late: list[Compilation] = []
        self.warnings: dict[str, None] = {}
        self._internal = _Cost()
        self._internal_seconds = 0.0
        self._own = 0
        self._disk: Counter[str] = Counter()
        self._internal_disk: Counter[str] = Counter()
        self._functions: dict[Function, _Cost] = {}
        self._sites: dict[tuple[str | None, Function], _Site] = {}
        self._slowest: list[tuple[float, int, int, int, Compilation]] = []
        self._taken = itertools.count()

    @property
    def internal(self) -> Work:
        return Work(self._internal.compilations, self._internal_seconds, self._internal.disk_hits)

    def take_span(self, span: Span) -> None:
        if len(self.spans) < 3 * MOST_KEPT:
            self.spans.append(span)

    def take_warning(self, text: str) -> None:
        if len(self.warnings) < MOST_WARNINGS:
            self.warnings[text] = None

    def take(self, compilation: Compilation) -> None:
        alike, spent = Alike(compilation, self), compilation.spent
        self.add(alike, *stages_of(compilation), spent)
        if not alike.internal:
            self.keep(compilation, spent)

    def add(self, alike: Alike, trace: float, lower: float, compile: float, spent: float) -> None:
        """One more compilation, to all sums."""
        for outcome in alike.disk:
            (self._internal_disk if alike.internal else self._disk)[outcome] += 1
        if alike.internal:
            self._internal.compilations += alike.compilations
            self._internal.disk_hits += alike.disk_hits
            self._internal_seconds += spent
            return
        self._own += 1
        alike.function.add(alike, trace, lower, compile, spent)
        site = alike.site
        site.compilations += alike.compilations
        site.disk_hits += alike.disk_hits
        site.seconds += spent
        if (cause := alike.cause) is not None:
            cause.count += 1
            cause.seconds += spent

    def keep(self, compilation: Compilation, spent: float) -> None:
        """While there is room; the slowest always."""
        if len(self.compilations) < MOST_KEPT:
            self.compilations.append(compilation)
        if compilation.late and len(self.late) < MOST_KEPT:
            self.late.append(compilation)
        heapq.heappush(
            self._slowest,
            (spent, -compilation.seq, -compilation.process, -next(self._taken), compilation),
        )
        if len(self._slowest) > SLOWEST:
            heapq.heappop(self._slowest)

    def sums_of(self, compilation: Compilation) -> tuple[_Cost, _Site, _Cause | None]:
        """Those of its function, its call site and its cause."""
        key = (compilation.function, compilation.definition)
        function = self._functions.setdefault(key, _Cost())
        site = self._sites.setdefault((compilation.at, key), _Site(compilation.definition, compilation.kind))
        ran = compilation.compilations or compilation.status == "DISK"
        return function, site, _cause(site.causes, compilation) if ran and compilation.reasons else None

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
            omitted=max(self._own - MOST_KEPT, 0),
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
            causes = sorted((cause.told() for cause in site.causes.values()), key=lambda one: -one.seconds)
            counted = None if calls is None else calls.get((function, site.definition), {}).get(at, 0)
            yield Site(
                at, function, site.definition, site.compilations, site.disk_hits, site.seconds,
                tuple(causes), counted, site.kind,
            )  # fmt: skip

    def _totals(self, wall_seconds: float, calls: Calls | None) -> RunTotals:
        costs = self._functions.values()
        counted = None if calls is None else sum(sum(lines.values()) for lines in calls.values())
        return RunTotals(
            sum(one.compilations for one in costs),
            sum(one.disk_hits for one in costs),
            sum(one.trace for one in costs),
            sum(one.lower for one in costs),
            sum(one.compile for one in costs),
            wall_seconds,
            sum(one.avoidable for one in costs),
            sum(one.avoidable_seconds for one in costs),
            counted,
            sum(one.recompilations for one in costs),
        )


def stages_of(compilation: Compilation) -> tuple[float, float, float]:
    """Seconds of tracing, lowering and compiling."""
    seconds = compilation.seconds
    return seconds.get("trace", 0.0), seconds.get("lower", 0.0), seconds.get("compile", 0.0)


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


def _cause(known: dict[Hashable, _Cause], compilation: Compilation) -> _Cause:
    key = (compilation.avoidable, *((reason.kind, reason.where) for reason in compilation.reasons))
    text = reasons_text(compilation)
    cause = known.setdefault(key, _Cause(compilation, [text]))
    if len(cause.examples) < EXAMPLES and text not in cause.examples:
        cause.examples.append(text)
    return cause
