"""A call script → a report on what its calls would do; made for millions of lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, Any

from jitinspect import bookkeeping
from jitinspect.arguments.build import build_call, make_mesh
from jitinspect.describe import describe_call
from jitinspect.errors import JitinspectError, UsageError
from jitinspect.model import Call, CallReport, FunctionTotals, Policy
from jitinspect.padding import Padding, padded
from jitinspect.plan import Judgement, Planner
from jitinspect.replay import Targets, settings
from jitinspect.specs import ScriptCall, read_jsonl_line
from jitinspect.target.jitting import Jitted

MOST_ROWS = 10_000
"""Rows of CACHED calls; those beyond are counted only."""
MOST_REMEMBERED = 100_000
"""Distinct lines that are remembered; then they are forgotten and read anew."""
CHUNK = 1 << 16


@dataclass(slots=True, eq=False)
class Seen:
    """A call that has been judged: how often it came since, each time CACHED if its first went well."""

    judgement: Judgement
    signature: str
    at: str
    count: int = 0


@dataclass(slots=True)
class Tally:
    """What has been planned so far."""

    planner: Planner = field(default_factory=Planner)
    rows: list[Call] = field(default_factory=list)
    counts: dict[tuple[str, str | None], list[int]] = field(default_factory=dict)
    calls: int = 0
    omitted: int = 0


class Plan:
    """Judges the calls of a script one by one. `policies` are asked for beside what the calls do as they are."""

    def __init__(self, mesh: Sequence[tuple[str, int]], paddings: Sequence[Padding]) -> None:
        self._mesh_axes = tuple(mesh)
        self._paddings = tuple(paddings)
        self._targets = Targets()
        self._tally = Tally()
        self._under = Planner()
        self._given = self._added = 0
        self._sizes: dict[int, tuple[int, int]] = {}
        self._compiled_under = 0
        self._seen: dict[Any, Seen] = {}

    def take(self, call: ScriptCall) -> None:
        """One call of a script, as often as it is repeated."""
        key = (call.ref, call.call, call.config)
        seen = self._remembered(key, call)
        for _ in range(call.repeat):
            self._count(seen, call.at)

    def take_lines(self, lines: IO[str], path: str, on_progress: Callable[[int], None]) -> None:
        """The calls of a `.jsonl`; `on_progress` is told of characters read, now and then."""
        by_line: dict[str, Seen | None] = {}
        number = 0
        while chunk := list(islice(lines, CHUNK)):
            number = self._take_chunk(chunk, number, path, by_line)
            on_progress(sum(map(len, chunk)))

    def _take_chunk(
        self, chunk: list[str], number: int, path: str, by_line: dict[str, Seen | None]
    ) -> int:
        """Within the rows' limit each call has its row; beyond it a known line costs a look-up."""
        known = by_line.get
        for line in chunk:
            number += 1
            seen = known(line)
            if seen is not None and len(self._tally.rows) >= MOST_ROWS:
                seen.count += 1
            else:
                self._take_line(line, f"{path}:{number}", by_line)
        return number

    def _take_line(self, line: str, at: str, by_line: dict[str, Seen | None]) -> None:
        if not line.strip():
            return
        seen = by_line.get(line)
        repeat = 1
        if seen is None:
            call = read_jsonl_line(line, at)
            seen = self._remembered((call.ref, call.call, call.config), call)
            repeat = call.repeat
            if len(by_line) >= MOST_REMEMBERED:
                by_line.clear()
            if repeat == 1:
                by_line[line] = seen
        for _ in range(repeat):
            self._count(seen, at)

    def _remembered(self, key: Any, call: ScriptCall) -> Seen:
        seen = self._seen.get(key)
        if seen is None:
            if len(self._seen) >= MOST_REMEMBERED:
                self._settle()
            seen = self._seen[key] = self._judge(call)
        return seen

    def _judge(self, call: ScriptCall) -> Seen:
        subject = self._targets[call.ref]
        mesh = make_mesh(self._mesh_axes)
        with settings(call.config):
            args, kwargs = build_call(call.call.arguments, mesh)
            try:
                judgement = self._tally.planner.judge(subject.call, args, kwargs, self._calls)
            except TypeError as error:
                raise UsageError(f"{call.at}: {error}") from None
            seen = Seen(judgement, describe_call(judgement.facts.name, args, kwargs), call.at)
            if self._paddings:
                self._judge_padded(seen, call, subject, mesh)
        return seen

    def _judge_padded(self, seen: Seen, call: ScriptCall, subject: Jitted, mesh: Any) -> None:
        names = list(seen.judgement.facts.parameters)
        arguments, given, added = padded(call.call.arguments, names, self._paddings)
        args, kwargs = build_call(arguments, mesh)
        judgement = self._under.judge(subject.call, args, kwargs, self._calls)
        self._compiled_under += judgement.status == "COMPILED"
        self._sizes[id(seen)] = (given, added)

    @property
    def _calls(self) -> int:
        return self._tally.calls

    def _count(self, seen: Seen, at: str) -> None:
        """A row for a call that does something, and for the first of those that do not."""
        tally, judgement = self._tally, seen.judgement
        first = seen.count == 0
        seen.count += 1
        if first or len(tally.rows) < MOST_ROWS:
            tally.rows.append(_row(seen, tally.calls, at, first or judgement.error is not None))
        tally.calls += 1

    def _settle(self) -> None:
        """Add up what has been seen, and forget it."""
        for seen in self._seen.values():
            facts, status = seen.judgement.facts, seen.judgement.status
            counts = self._tally.counts.setdefault((facts.name, facts.definition), [0, 0, 0])
            counts[0] += seen.count
            counts[1] += status == "COMPILED"
            counts[2] += seen.count - (status != "CACHED")
            given, added = self._sizes.pop(id(seen), (0, 0))
            self._given += given * seen.count
            self._added += added * seen.count
        self._seen.clear()

    def report(self, script: str, error: JitinspectError | None = None, stopped: str | None = None) -> CallReport:
        """All of it."""
        self._settle()
        tally = self._tally
        functions = tuple(FunctionTotals(*key, *counts) for key, counts in tally.counts.items())
        return CallReport(
            script=script,
            calls=tuple(tally.rows),
            functions=functions,
            totals=bookkeeping.totals(functions, tally.planner.executables, 0),
            planned=True,
            omitted=sum(one.calls for one in functions) - len(tally.rows),
            policies=tuple(self._policies()),
            stopped=stopped or (error.message if error else None),
            exit_code=error.exit_code if error else 0,
        )

    def _policies(self) -> Iterator[Policy]:
        if self._paddings:
            text = ", ".join(padding.text for padding in self._paddings)
            share = self._added / self._given if self._given else 0.0
            yield Policy(text, self._compiled_under, self._added, share)


def _row(seen: Seen, index: int, at: str, as_judged: bool) -> Call:
    judgement = seen.judgement
    plain = Call(
        index=index,
        function=judgement.facts.name,
        definition=judgement.facts.definition,
        at=at,
        signature=seen.signature,
        status="CACHED",
        executable=judgement.executable,
        error=judgement.error,
    )
    if not as_judged:
        return plain
    return Call(
        **{
            **{name: getattr(plain, name) for name in plain.__slots__},
            "status": judgement.status if seen.count == 1 else "CACHED",
            "stages": judgement.stages if seen.count == 1 else (),
            "nearest": judgement.nearest,
            "reasons": judgement.reasons,
        }
    )
