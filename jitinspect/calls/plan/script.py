"""A call script → a report on what its calls would do; fast enough for millions of lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import IO, Any

from jitinspect.calls.plan.cache_model import Judgement, Planner
from jitinspect.calls.plan.padding import Padding, Paddings
from jitinspect.calls.replay import Targets, located, making_arguments, settings
from jitinspect.calls.report import totals
from jitinspect.errors import UsageError
from jitinspect.jaxapi.arrays.leaves import traced_dtype
from jitinspect.jaxapi.devices import option
from jitinspect.jaxapi.jits.recognition import signature
from jitinspect.model import MOST_ROWS, Call, CallReport, FunctionTotals, Policy
from jitinspect.process.paths import relative
from jitinspect.specs import ScriptCall, bind_call
from jitinspect.specs.describe import describe_call
from jitinspect.specs.scripts import call_key, read_jsonl_line
from jitinspect.specs.scripts.jsonl_layouts import Core, Layout, layout_of
from jitinspect.targets.arguments.build import build_call, make_mesh
from jitinspect.targets.jitting import Jitted

MOST_REMEMBERED = 20_000
"""How many distinct calls, and distinct lines, are remembered before all are forgotten and read again."""
MOST_LAYOUTS = 4
"""How many layouts of lines are remembered."""
CHUNK = 1 << 18
"""Characters that are read at once."""


@dataclass(eq=False)
class DistinctCall:
    """A call that has been judged, and how often it occurred; after the first time it is CACHED.

    `elements` counts those of its arrays, `added` those that the paddings would add.
    """

    judgement: Judgement
    signature: str
    count: int = 0
    elements: int = 0
    added: int = 0

    @cached_property
    def repeated(self) -> Judgement:
        """What it does after the first time."""
        return self.judgement.repeated()

    @cached_property
    def definition(self) -> str | None:
        """Where the function is defined."""
        return relative(self.judgement.facts.definition)


class Plan:
    """Judges the calls of a script one by one, as they are and with the paddings applied.

    `passed_over` has the unknown keys of a `.jsonl`, each with the line where it first occurs.
    """

    def __init__(
        self, mesh: Sequence[tuple[str, int]], dims: Mapping[str, int], paddings: Sequence[Padding]
    ) -> None:
        self._mesh, self._dims = tuple(mesh), dims
        self._paddings = Paddings(paddings)
        self._targets = Targets()
        self._planner, self._padded = Planner(), Planner()
        self._compiled_padded = self._elements = self._added = 0
        self._rows: list[Call] = []
        self._counts: dict[tuple[str, str | None], list[int]] = {}
        self._distinct: dict[Any, DistinctCall] = {}
        self._by_line: dict[str, DistinctCall] = {}
        self._by_call: dict[bytes | None, DistinctCall] = {}
        self._by_core: dict[Core, DistinctCall] = {}
        self._layouts: list[Layout] = []
        self._calls = 0
        self.passed_over: dict[str, str] = {}
        self.all_succeed = True
        """Whether no call would raise."""

    def take(self, call: ScriptCall) -> DistinctCall | None:
        """One call of a script, as often as it is repeated. None if it does not use the caches."""
        config = {name.removeprefix("jax_"): value for name, value in call.config}
        if config.get("disable_jit", option("jax_disable_jit")):
            return None
        distinct = self._find(call)
        self._count(distinct, call.at, call.repeat)
        return distinct

    def take_lines(self, lines: IO[str], path: str, on_progress: Callable[[int], None]) -> None:
        """The calls of a `.jsonl`; `on_progress` is called now and then with a number of characters read."""
        number = 0
        while chunk := lines.readlines(CHUNK):
            if number == 0:
                chunk[0] = chunk[0].removeprefix("\ufeff")
            self._take_chunk(chunk, number, path)
            number += len(chunk)
            on_progress(sum(map(len, chunk)))

    def _take_chunk(self, chunk: list[str], number: int, path: str) -> None:
        """While there is room each call gets a row; after that, lines of one layout are counted together."""
        position = 0
        while position < len(chunk) and len(self._rows) < MOST_ROWS:
            self._take_line(chunk[position], f"{path}:{number + position + 1}")
            position += 1
        rest, number = chunk[position:], number + position
        if self._count_repeated(rest):
            return
        cores = self._cores(rest)
        take = self._take_alike if cores else self._take_each
        take(rest, cores or rest, number, path)

    def _count_repeated(self, lines: list[str]) -> bool:
        """Whether each of the lines occurred before, just as it stands: then they are counted."""
        if not lines or lines[0] not in self._by_line:
            return False
        times = Counter(lines)
        if not times.keys() <= self._by_line.keys():
            return False
        self._count_known(self._by_line, times)
        return True

    def _cores(self, lines: list[str]) -> Sequence[Core]:
        """What each of the lines asks for, if they have one layout that is known; else nothing."""
        text = "".join(lines)
        found = (layout.cores(text) for layout in self._layouts)
        return next((cores for cores in found if len(cores) == len(lines)), ())

    def _take_alike(self, lines: list[str], cores: Sequence[Core], number: int, path: str) -> None:
        """Lines whose cores are known cost a share of one count."""
        begin = 0
        if not self._by_core.keys() >= {*cores}:
            for position, core in enumerate(cores):
                if core not in self._by_core:
                    self._count_known(self._by_core, Counter(cores[begin:position]))
                    self._take_line(lines[position], f"{path}:{number + position + 1}")
                    begin = position + 1
        self._count_known(self._by_core, Counter(cores[begin:]))

    def _count_known(self, known: Mapping[Any, DistinctCall], times: Counter[Any]) -> None:
        for key, count in times.items():
            known[key].count += count
        self._calls += times.total()

    def _take_each(self, lines: list[str], _: object, number: int, path: str) -> None:
        """A known line costs just a lookup."""
        known, recall, calls = self._by_line, self._recall, self._calls
        for position, line in enumerate(lines):
            if (distinct := known.get(line) or recall(line)) is not None:
                distinct.count += 1
                calls += 1
            else:
                self._calls = calls
                self._take_line(line, f"{path}:{number + position + 1}")
                calls = self._calls
        self._calls = calls

    def _take_line(self, line: str, at: str) -> None:
        distinct = self._by_line.get(line) or self._recall(line)
        if distinct is not None:
            self._count(distinct, at)
        elif line.strip():
            call = read_jsonl_line(line, at)
            for name in call.passed_over:
                self.passed_over.setdefault(name, at)
            distinct = self.take(bind_call(call, self._dims))
            if distinct is not None and call.repeat == 1 and (key := call_key(line)) is not None:
                if len(self._by_call) >= MOST_REMEMBERED:
                    self._by_call.clear()
                self._by_call[key] = distinct
                self._remember_core(line, distinct)

    def _remember_core(self, line: str, distinct: DistinctCall) -> None:
        found = (layout.core(line) for layout in self._layouts)
        core = next((core for core in found if core is not None), None)
        if core is None and len(self._layouts) < MOST_LAYOUTS and (new := layout_of(line)) is not None:
            core = new.core(line)
            self._layouts += [new] if core is not None else []
        if core is not None:
            if len(self._by_core) >= MOST_REMEMBERED:
                self._by_core.clear()
            self._by_core[core] = distinct

    def _recall(self, line: str) -> DistinctCall | None:
        """A call that was judged before, by what the line says. The line is only remembered while there is
        room: if there are very many different lines, none is likely to occur again.
        """
        distinct = self._by_call.get(call_key(line))
        if distinct is not None and len(self._by_line) < MOST_REMEMBERED:
            self._by_line[line] = distinct
        return distinct

    def _find(self, call: ScriptCall) -> DistinctCall:
        key = (call.ref, call.call, call.config)
        distinct = self._distinct.get(key)
        if distinct is None:
            if len(self._distinct) >= MOST_REMEMBERED:
                self._settle()
            with located(call.at):
                distinct = self._distinct[key] = self._judge(call)
        return distinct

    def _judge(self, call: ScriptCall) -> DistinctCall:
        subject, mesh = self._targets[call.ref], make_mesh(self._mesh)
        with settings(call.config):
            with making_arguments():
                args, kwargs = build_call(call.call.arguments, mesh)
            try:
                judgement = self._planner.judge(subject.call, args, kwargs, self._calls)
            except TypeError as error:
                raise UsageError(str(error)) from None
            self.all_succeed = self.all_succeed and judgement.error is None
            distinct = DistinctCall(
                judgement, describe_call(judgement.facts.name, args, kwargs, traced_dtype)
            )
            if self._paddings.all:
                self._judge_padded(distinct, call, subject, mesh)
        return distinct

    def _judge_padded(self, distinct: DistinctCall, call: ScriptCall, subject: Jitted, mesh: Any) -> None:
        arguments, distinct.elements, distinct.added = self._paddings.apply(
            call.call.arguments, signature(subject.call)
        )
        with making_arguments():
            args, kwargs = build_call(arguments, mesh)
        judgement = self._padded.judge(subject.call, args, kwargs, self._calls)
        self._compiled_padded += judgement.status == "COMPILED"

    def _count(self, distinct: DistinctCall, at: str, times: int = 1) -> None:
        """Rows while there is room, and always one for the first of a call that runs a stage."""
        first = distinct.count == 0
        room = max(MOST_ROWS - len(self._rows), int(first and bool(distinct.judgement.stages)))
        for nth in range(min(times, room)):
            self._rows.append(_row(distinct, self._calls + nth, at, first and nth == 0))
        distinct.count += times
        self._calls += times

    def _settle(self) -> None:
        """Add up the calls so far, and forget them."""
        for distinct in self._distinct.values():
            facts, status = distinct.judgement.facts, distinct.judgement.status
            counts = self._counts.setdefault((facts.name, relative(facts.definition)), [0, 0, 0])
            counts[0] += distinct.count
            counts[1] += status == "COMPILED"
            counts[2] += distinct.count - (status != "CACHED") if distinct.judgement.error is None else 0
            self._elements += distinct.elements * distinct.count
            self._added += distinct.added * distinct.count
        self._distinct.clear()
        self._by_line.clear()
        self._by_call.clear()
        self._by_core.clear()

    def report(self, script: str) -> CallReport:
        """The report on all calls so far."""
        self._settle()
        functions = tuple(FunctionTotals(*key, *counts) for key, counts in self._counts.items())
        return CallReport(
            script=script,
            calls=tuple(self._rows),
            functions=functions,
            totals=totals(functions, self._planner.executables, 0),
            planned=True,
            omitted=self._calls - len(self._rows),
            policies=tuple(self._policies()),
        )

    def unmatched(self) -> UsageError | None:
        """An error for a padding that matched no call."""
        return self._paddings.unmatched()

    def _policies(self) -> Iterator[Policy]:
        if self._paddings.all:
            text = ", ".join(padding.text for padding in self._paddings.all)
            share = self._added / self._elements if self._elements else 0.0
            yield Policy(text, self._compiled_padded, self._added, share)


def _row(distinct: DistinctCall, index: int, at: str, first: bool) -> Call:
    judgement = distinct.judgement if first else distinct.repeated
    return Call(
        index=index,
        function=judgement.facts.name,
        definition=distinct.definition,
        at=at,
        signature=distinct.signature,
        status=judgement.status,
        executable=judgement.executable,
        stages=judgement.stages,
        compilations=int(judgement.status == "COMPILED"),
        nearest=judgement.nearest,
        reasons=judgement.reasons,
        error=judgement.error,
    )
