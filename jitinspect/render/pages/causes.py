"""What was compiled again, by site and cause, for the script of a page: what can be avoided comes first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jitinspect.model.runs import Site
from jitinspect.render.pages.rows import Columns, Row


def of_sites(sites: Iterable[Site], columns: Columns) -> list[dict[str, Any]]:
    """Those that a report on a program has."""
    return _ranked(
        {
            "text": cause.text, "reasons": cause.reasons, "more": cause.more, "examples": cause.examples,
            "count": cause.count, "seconds": cause.seconds, "avoidable": cause.avoidable,
            "hint": cause.hint, "first": cause.kind == "first_call",
            "cause": columns.cause(cause.kind),
            "function": columns.function(site.function, site.definition),
            "site": columns.site(site.at),
        }
        for site in sites
        for cause in site.causes
    )  # fmt: skip


def of_rows(columns: Columns) -> list[dict[str, Any]]:
    """Of calls: those that differ in the same ways from the nearest, at one site."""
    groups: dict[Any, list[Row]] = {}
    for row in columns.rows:
        if row.of.reasons and row.of.compilations:
            differs = tuple((reason.kind, reason.where) for reason in row.of.reasons)
            key = (row.of.function, row.of.definition, row.of.at, row.avoidable, differs)
            groups.setdefault(key, []).append(row)
    return _ranked(_group(rows, columns) for rows in groups.values())


def _group(rows: list[Row], columns: Columns) -> dict[str, Any]:
    first, reasons = rows[0].of, rows[0].of.reasons
    texts = [", ".join(reason.text for reason in row.of.reasons) for row in rows]
    return {
        "text": texts[0],
        "reasons": [reason.text for reason in reasons],
        "more": 0,
        "examples": list(dict.fromkeys(texts))[:3],
        "count": len(rows),
        "seconds": sum(sum(row.of.seconds.values()) for row in rows),
        "avoidable": rows[0].avoidable,
        "hint": next((reason.hint for reason in reasons if reason.hint), None),
        "first": reasons[0].kind == "first_call",
        "cause": columns.cause(reasons[0].kind),
        "function": columns.function(first.function, first.definition),
        "site": columns.site(first.at),
    }


def _ranked(causes: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Avoidable ones, then those of other calls than the first; each by seconds, or else by number."""
    return sorted(
        causes, key=lambda one: (not one["avoidable"], one["first"], -one["seconds"], -one["count"])
    )
