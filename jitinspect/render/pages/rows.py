"""Calls and compilations as columns, for the script of a page: what many rows share is written once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jitinspect.model import Call, Reason
from jitinspect.model.runs import Compilation, DiskLookup
from jitinspect.render.calls import shown_status
from jitinspect.render.run import KINDS
from jitinspect.render.text import seconds, shown_path

Detail = tuple[str, str]
"""What a text is, and the text."""


class Numbered:
    """Gives each item a number, and equal ones the same."""

    def __init__(self) -> None:
        self.numbers: dict[Any, int] = {}

    def __call__(self, item: Hashable) -> int:
        return self.numbers.setdefault(item, len(self.numbers))

    def __iter__(self) -> Iterator[Any]:
        return iter(self.numbers)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table. `number` and `nearest` are those of the report, unique within a `process`."""

    of: Call | Compilation
    number: int
    status: str
    work: str = ""
    process: int = 0
    thread: int = 0
    more: int = 0
    avoidable: bool = False
    details: tuple[Detail, ...] = ()


def of_call(call: Call) -> Row:
    """With `RAISED` for one that raised, however far it got."""
    error = [("error", call.error)] if call.error else []
    told = {"traceback": call.traceback, "JAX says": call.jax_says}
    status = "RAISED" if call.error else shown_status(call)
    details = (*error, *((name, text) for name, text in told.items() if text))
    avoidable = call.compilations > 0 and bool(call.reasons) and all(one.avoidable for one in call.reasons)
    return Row(call, call.index, status, avoidable=avoidable, details=details)


def of_compilation(one: Compilation) -> Row:
    """With `RAISED` for one that raised, however far it got."""
    raised = [(f"raised in {one.raised}", one.error or "")] if one.raised else []
    late = [("after the warm-up", "yes")] if one.late else []
    compiled = [("compilations", str(one.compilations))] if one.compilations > 1 else []
    disk = [("cache folder", _looked_up(lookup)) for lookup in one.lookups]
    status = "RAISED" if one.raised else one.status
    return Row(
        one, one.seq, status, KINDS[one.kind], one.process, one.thread, one.more_differences, one.avoidable,
        (*raised, *late, *compiled, *disk),
    )  # fmt: skip


def _looked_up(lookup: DiskLookup) -> str:
    took = {"compiled in": lookup.compile_seconds, "read in": lookup.read_seconds}
    parts = [lookup.outcome, *(f"{what} {seconds(time)}" for what, time in took.items() if time is not None)]
    return f"{', '.join(parts)}  {lookup.entry}".rstrip()


class Columns:
    """What the table's rows are, and the numbered names that they, and whatever speaks of them, use."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = list(rows)
        self._statuses, self._signatures, self._reasons = Numbered(), Numbered(), Numbered()
        self._functions, self._sites, self._causes = Numbered(), Numbered(), Numbered()
        self._differences = Numbered()
        self._at: dict[tuple[int, int | None], int] = {
            (row.process, row.number): at for at, row in enumerate(self.rows)
        }
        self._columns = {name: list(column) for name, column in self._each()}

    def function(self, name: str, definition: str | None) -> int:
        return self._functions((name, shown_path(definition or "")))

    def site(self, at: str | None) -> int:
        return self._sites(shown_path(at or ""))

    def cause(self, kind: str) -> int:
        return self._causes(kind.replace("_", " "))

    def data(self) -> dict[str, Any]:
        """All of it; called last, as names may come until then."""
        differences = [self._difference(*one) for one in self._differences]
        return {
            "statuses": list(self._statuses),
            "functions": list(self._functions),
            "sites": list(self._sites),
            "causes": list(self._causes),
            "signatures": list(self._signatures),
            "reasons": [_reason(one) for one in self._reasons],
            "differences": differences,
            "columns": self._columns,
            "details": {at: row.details for at, row in enumerate(self.rows) if row.details},
        }

    def _each(self) -> Iterable[tuple[str, Iterable[Any]]]:
        rows, ones = self.rows, [row.of for row in self.rows]
        yield "number", (row.number for row in rows)
        yield "status", (self._statuses(row.status) for row in rows)
        yield "function", (self.function(one.function, one.definition) for one in ones)
        yield "site", (self.site(one.at) for one in ones)
        yield "signature", (self._signatures(one.signature or one.function) for one in ones)
        yield "difference", (self._differences((row.of.reasons, row.more, row.work)) for row in rows)
        yield "nearest", (self._at.get((row.process, row.of.nearest), -1) for row in rows)
        yield "avoidable", (int(row.avoidable) for row in rows)
        yield "process", (row.process for row in rows)
        for stage in ("trace", "lower", "compile"):
            yield stage, (_rounded(one.seconds.get(stage, 0.0)) for one in ones)
        yield "executable", (getattr(one, "executable", None) or 0 for one in ones)

    def _difference(self, reasons: Sequence[Reason], more: int, work: str) -> dict[str, Any]:
        causes = dict.fromkeys(self.cause(reason.kind) for reason in reasons)
        causes |= {self.cause(work): None} if work else {}
        return {
            "reasons": [self._reasons(reason) for reason in reasons],
            "more": more,
            "work": work,
            "causes": list(causes),
        }


def _reason(one: Reason) -> dict[str, Any]:
    return {
        "kind": one.kind.replace("_", " "), "where": one.where, "before": one.before, "now": one.now,
        "text": one.text, "hint": one.hint, "avoidable": one.avoidable,
    }  # fmt: skip


def _rounded(time: float) -> float:
    """To a nanosecond: more digits would be noise."""
    return round(time, 9)
