"""Compilations as they come → what the program spent on them, by function and by call site, and why."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from jitinspect.model import Work
from jitinspect.model.runs import Cause, Compilation, FunctionCost, RunReport, RunTotals, Site, Span, WorkKind

MOST_KEPT = 10_000
"""Compilations beyond this many are added up and no longer listed; of their spans, three times as many."""
SLOWEST = 5
EXAMPLES = 3
MOST_REASONS = 3

Function = tuple[str, str | None]
"""Name and definition."""
Calls = Mapping[Function, Mapping[str | None, int]]
"""How often each function was called, by the line of the call."""


@dataclass(slots=True)
class _Cost:
    """What adds up."""

    compilations: int = 0
    disk_hits: int = 0
    trace: float = 0.0
    lower: float = 0.0
    compile: float = 0.0
    avoidable: int = 0
    avoidable_seconds: float = 0.0
    recompilations: int = 0
    misses: int = 0

    def add(self, one: Compilation) -> None:
        self.misses += one.kind == "call"
        self.recompilations += one.compilations * is_again(one)
        self.compilations += one.compilations
        self.disk_hits += one.status == "DISK"
        self.trace += one.seconds.get("trace", 0.0)
        self.lower += one.seconds.get("lower", 0.0)
        self.compile += one.seconds.get("compile", 0.0)
        if one.avoidable:
            self.avoidable += one.compilations
            self.avoidable_seconds += one.spent


@dataclass(slots=True)
class _Site:
    definition: str | None
    kind: WorkKind
    compilations: int = 0
    disk_hits: int = 0
    seconds: float = 0.0
    causes: dict[Hashable, Cause] = field(default_factory=dict)


class Summary:
    """Takes each compilation once, and keeps no more of it than it must."""

    def __init__(self) -> None:
        self.compilations: list[Compilation] = []
        self.spans: list[Span] = []
        self.internal = Work()
        self.late: list[Compilation] = []
        self._omitted = 0
        self._functions: dict[Function, _Cost] = {}
        self._sites: dict[tuple[str | None, Function], _Site] = {}
        self._total = _Cost()
        self._slowest: list[tuple[float, int, int, int, Compilation]] = []
        self._taken = itertools.count()

    def take_span(self, span: Span) -> None:
        if len(self.spans) < 3 * MOST_KEPT:
            self.spans.append(span)

    def take(self, one: Compilation) -> None:
        if one.kind == "internal":
            known, from_disk = self.internal, one.status == "DISK"
            self.internal = Work(
                known.compilations + one.compilations,
                known.seconds + one.spent,
                known.disk_hits + from_disk,
            )
            return
        if len(self.compilations) < MOST_KEPT:
            self.compilations.append(one)
        else:
            self._omitted += 1
        if one.late and len(self.late) < MOST_KEPT:
            self.late.append(one)
        self._total.add(one)
        self._functions.setdefault((one.function, one.definition), _Cost()).add(one)
        self._take_site(one)
        heapq.heappush(self._slowest, (one.spent, -one.seq, -one.process, -next(self._taken), one))
        if len(self._slowest) > SLOWEST:
            heapq.heappop(self._slowest)

    def _take_site(self, one: Compilation) -> None:
        function = (one.function, one.definition)
        site = self._sites.setdefault((one.at, function), _Site(one.definition, one.kind))
        site.compilations += one.compilations
        site.disk_hits += one.status == "DISK"
        site.seconds += one.spent
        if one.compilations or one.status == "DISK":
            key = (one.avoidable, *((reason.kind, reason.where) for reason in one.reasons))
            if one.reasons:
                site.causes[key] = _cause(site.causes.get(key), one)

    def report(
        self,
        program: str,
        wall_seconds: float,
        calls: Calls | None = None,
        exit_code: int = 0,
        stopped: str | None = None,
    ) -> RunReport:
        """All there was; `calls` where they were counted."""
        functions = [_function(key, cost, calls) for key, cost in self._functions.items()]
        functions += [
            FunctionCost(*key, 0, 0, 0.0, 0.0, 0.0, calls=sum(told.values()), hits=sum(told.values()))
            for key, told in (calls or {}).items()
            if key not in self._functions
        ]
        slowest = sorted(self._slowest, key=lambda entry: entry[:-1], reverse=True)
        return RunReport(
            program=program,
            functions=tuple(sorted(functions, key=lambda one: -one.seconds)),
            sites=tuple(sorted(self._site_list(calls), key=lambda one: -one.seconds)),
            totals=self._totals(wall_seconds, calls),
            internal=self.internal,
            slowest=tuple(one for *_, one in slowest),
            compilations=tuple(self.compilations),
            spans=tuple(self.spans),
            omitted=self._omitted,
            exit_code=exit_code,
            stopped=stopped,
        )

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
        counted = None if calls is None else sum(sum(told.values()) for told in calls.values())
        return RunTotals(
            cost.compilations, cost.disk_hits, cost.trace, cost.lower, cost.compile, wall_seconds,
            cost.avoidable, cost.avoidable_seconds, counted, cost.recompilations,
        )  # fmt: skip


def is_again(one: Compilation) -> bool:
    """Whether the definition had been compiled, or called, before."""
    return any(reason.kind != "first_call" for reason in one.reasons)


def _function(key: Function, cost: _Cost, calls: Calls | None) -> FunctionCost:
    counted = None if calls is None else sum(calls.get(key, {}).values())
    hits = None if counted is None else max(counted - cost.misses, 0)
    return FunctionCost(
        *key, cost.compilations, cost.disk_hits, cost.trace, cost.lower, cost.compile,
        cost.avoidable, cost.avoidable_seconds, counted, hits,
    )  # fmt: skip


def reasons_text(one: Compilation) -> str:
    """All reasons in a line; of many the first, and how many more there are."""
    texts = list(dict.fromkeys(reason.text for reason in one.reasons))
    left = max(len(texts) - MOST_REASONS, 0) + one.more_differences
    return ", ".join(texts[:MOST_REASONS]) + (f" (+{left} more)" if left else "")


def _cause(known: Cause | None, one: Compilation) -> Cause:
    """A cause with one more compilation: the first tells its text, a few others stand as examples."""
    text = reasons_text(one)
    if known is None:
        first = one.reasons[0]
        hint = next((reason.hint for reason in one.reasons if reason.hint), None)
        return Cause(first.kind, first.where, text, 1, one.spent, one.avoidable, hint, (text,))
    examples = known.examples
    if len(examples) < EXAMPLES and text not in examples:
        examples = (*examples, text)
    return replace(known, count=known.count + 1, seconds=known.seconds + one.spent, examples=examples)
