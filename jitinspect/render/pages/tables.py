"""The small tables of a page: functions, call sites, processes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jitinspect.model import CallReport, FunctionTotals
from jitinspect.model.runs import FunctionCost, Process, RunReport, Site
from jitinspect.render.pages.rows import Columns
from jitinspect.render.run import KINDS
from jitinspect.render.text import seconds, shown_path

Data = dict[str, Any]
Cells = dict[str, str]
"""A cell by the head of its column."""


def _table(
    title: str, cells: list[Cells], texts: int, facet: str = "", numbers: list[int] | None = None
) -> Data:
    """Without columns that are empty. The first `texts` columns are words, the others numbers; `numbers` are
    what the filter `facet` calls the rows.
    """
    head = [name for name in (cells[0] if cells else ()) if any(row[name] for row in cells)]
    words = [name for name in list(cells[0] if cells else ())[:texts] if name in head]
    rows = [[row[name] for name in head] for row in cells]
    return {
        "title": title, "head": head, "texts": len(words), "rows": rows, "facet": facet,
        "numbers": numbers or [],
    }  # fmt: skip


def functions(report: RunReport | CallReport, columns: Columns) -> Data:
    """What each definition cost."""
    numbers = [columns.function(one.function, one.definition) for one in report.functions]
    rows = [_cost(one) if isinstance(one, FunctionCost) else _totals(one) for one in report.functions]
    return _table("Functions", rows, 2, "function", numbers)


def _cost(one: FunctionCost) -> Cells:
    return {
        "function": one.function,
        "defined at": shown_path(one.definition or ""),
        "compilations": f"{one.compilations:,}",
        "avoidable": _unless_zero(one.avoidable),
        "avoidable time": seconds(one.avoidable_seconds) if one.avoidable else "",
        "from disk": _unless_zero(one.disk_hits),
        "trace": seconds(one.trace_seconds),
        "lower": seconds(one.lower_seconds),
        "compile": seconds(one.compile_seconds),
        "total": seconds(one.seconds),
        "calls": "" if one.calls is None else f"{one.calls:,}",
        "hits": "" if one.hits is None else f"{one.hits:,}",
    }


def _totals(one: FunctionTotals) -> Cells:
    return {
        "function": one.function,
        "defined at": shown_path(one.definition or ""),
        "calls": f"{one.calls:,}",
        "compilations": f"{one.compilations:,}",
        "hits": f"{one.cache_hits:,}",
        "slow hits": _unless_zero(one.slow_hits),
        "total": seconds(one.seconds) if one.seconds else "",
    }


def sites(report: RunReport, columns: Columns) -> Data:
    """What was compiled at each line."""
    numbers = [columns.site(one.at) for one in report.sites]
    return _table("Call sites", list(map(_site, report.sites)), 3, "site", numbers)


def _site(one: Site) -> Cells:
    return {
        "call site": shown_path(one.at or "") or "–",
        "function": one.function,
        "sort": KINDS[one.kind],
        "compilations": f"{one.compilations:,}",
        "from disk": _unless_zero(one.disk_hits),
        "total": seconds(one.seconds),
        "calls": "" if one.calls is None else f"{one.calls:,}",
    }


def processes(report: RunReport) -> Iterator[Data]:
    """The processes of a job, or its recordings, if there were several."""
    if report.processes:
        yield _table("Processes", list(map(_process, report.processes)), 2)


def _process(one: Process) -> Cells:
    during = f", during {one.under_way}" if one.under_way else ""
    ended = f"exit code {one.exit_code}" if one.ended else "no exit: killed, or still running"
    return {
        "process": one.name,
        "end": ended + during,
        "compilations": f"{one.compilations:,}",
        "trace, lower, compile": seconds(one.seconds),
        "in all": seconds(one.wall_seconds),
    }


def _unless_zero(number: int) -> str:
    return f"{number:,}" if number else ""
