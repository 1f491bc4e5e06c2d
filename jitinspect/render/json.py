"""A report as one JSON document, and back: `from_json ∘ to_json` is the same report."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard, cast

from jitinspect.errors import JitinspectError, LoadError
from jitinspect.model import SCHEMA, CallReport, Diagnosis, Listing, Report
from jitinspect.render.flames.reports import flames_of

if TYPE_CHECKING:
    from jitinspect.model.cache import CacheReport, PruneReport
    from jitinspect.model.cache_lookups import CacheWhyReport
    from jitinspect.model.cache_stats import CacheStatsReport
    from jitinspect.model.differences import DiffReport
    from jitinspect.model.exports import ExportReport
    from jitinspect.model.program_profiles import TraceReport
    from jitinspect.model.readings import ReadingReport
    from jitinspect.model.runs import RunReport

AnyReading: TypeAlias = "ReadingReport | DiffReport | TraceReport | ExportReport"
AnyCache: TypeAlias = "CacheReport | PruneReport | CacheWhyReport | CacheStatsReport"
AnyReport: TypeAlias = "Report | Listing | Diagnosis | CallReport | RunReport | AnyReading | AnyCache"
_KINDS: dict[str, type] = {"ls": Listing, "doctor": Diagnosis, "trace-cache": CallReport}
_OF_PROGRAMS = ("run", "summary", "watch", "compiles")
_READINGS = {
    "source": "readings.SourceReport",
    "donation": "readings.DonationReport",
    "constants": "readings.ConstantsReport",
    "cost": "readings.CostReport",
    "passes": "readings.PassesReport",
    "fit": "fit.FitReport",
    "collectives": "communication.CollectivesReport",
    "sharding": "communication.ShardingReport",
    "compile-time": "compile_times.CompileTimeReport",
    "profile": "profiles.ProfileReport",
    "export": "exports.ExportReport",
    "explore": "readings.ExploreReport",
    "diff": "differences.DiffReport",
}
_OF_CACHE = {
    "cache ls": "cache.CacheReport",
    "cache verify": "cache.CacheReport",
    "cache prune": "cache.PruneReport",
    "cache why": "cache_lookups.CacheWhyReport",
    "cache stats": "cache_stats.CacheStatsReport",
}
_LATER = {
    **dict.fromkeys(_OF_PROGRAMS, "runs.RunReport"),
    **_READINGS,
    **_OF_CACHE,
    "profile of traces": "program_profiles.TraceReport",
}
"""Commands whose models are imported only when needed."""


def is_of_program(report: AnyReport) -> TypeGuard[RunReport]:
    """Whether it is about a whole program."""
    return report.command in _OF_PROGRAMS


def is_reading(report: AnyReport) -> TypeGuard[AnyReading]:
    """Whether it is a reading, which has no stage's text."""
    return report.command in _READINGS


def is_of_cache(report: AnyReport) -> TypeGuard[AnyCache]:
    """Whether it is about JAX's persistent cache."""
    return report.command in _OF_CACHE


def _kind(command: object) -> type:
    if (place := _LATER.get(str(command))) is not None:
        module, _, name = place.partition(".")
        return cast(type, getattr(import_module(f"jitinspect.model.{module}"), name))
    return _KINDS.get(str(command), Report)


def to_json(report: AnyReport) -> str:
    """One document, indented, `schema` and `command` first. Of a report on where time went it is a trace for
    Perfetto, too: `traceEvents` come last, and say nothing that the report itself does not.
    """
    if not (graphs := flames_of(report)):
        return _document(report)
    from jitinspect.render import chrome

    return chrome.with_events(_document(report), graphs)


def _document(report: AnyReport) -> str:
    """A sweep has `keys`; the first is its `key`."""
    document = {"schema": report.schema, "command": report.command, **asdict(report, dict_factory=_members)}
    if document.get("exploration", document) is None:  # which most reports have not
        del document["exploration"]
    if isinstance(report, Report):
        keys, against = document.pop("keys"), document.pop("against")
        document["key"] = keys[0] if keys else None
        document |= {"keys": keys} if len(keys) > 1 else {}
        document |= {"against": against} if report.command == "key" or against else {}
    return json.dumps(document, indent=1, ensure_ascii=False)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Python has no field `pass`: that is written `pass_`."""
    return {name.rstrip("_"): value for name, value in pairs}


def error_to_json(command: str | None, error: JitinspectError) -> str:
    """The document printed on stdout instead of a report."""
    document = {"schema": SCHEMA, "command": command, "error": error.as_dict()}
    return json.dumps(document, indent=1, ensure_ascii=False)


def from_json(text: str) -> AnyReport:
    """The report that `to_json` wrote. Keys of a later jitinspect are ignored.

    Raises `LoadError` for any other document, a damaged one, or one of another schema.
    """
    from jitinspect.render.decode import Misfit

    if text.startswith('{"record":'):
        raise LoadError("this is a recording, not a report", hint="jitinspect summary reads recordings")
    try:
        document = json.loads(text)
        schema = document["schema"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise LoadError("this is not a jitinspect report", hint="save one with -o report.json") from None
    if schema != SCHEMA:
        raise LoadError(f"the report has schema {schema}, this jitinspect reads {SCHEMA}")
    if document.get("error") and "calls" not in document:
        raise LoadError(f"the report is an error: {_message(document['error'])}")
    try:
        return _report(document)
    except Misfit as misfit:
        raise LoadError(f"this report cannot be read: {misfit}", hint="save it again") from None


def _message(error: Any) -> str:
    return str(error.get("message")) if isinstance(error, dict) else str(error)


def _report(document: dict[str, Any]) -> AnyReport:
    """A document has the `key` of a single call, and `keys` for a sweep."""
    from jitinspect.render.decode import reader

    kind = _kind("profile of traces" if "traces" in document else document.get("command"))
    keys = document.get("keys") or [key for key in [document.get("key")] if key is not None]
    report: AnyReport = reader(kind)({**document, "keys": keys} if kind is Report else document)
    return report
