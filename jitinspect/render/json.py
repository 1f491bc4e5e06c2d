"""A report as one JSON document, and back: `from_json ∘ to_json` is the same report."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, TypeVar

from jitinspect.errors import JitinspectError, LoadError
from jitinspect.model import (
    SCHEMA,
    Artifact,
    Call,
    CallReport,
    CallTotals,
    CompileEvent,
    Diagnosis,
    Environment,
    FunctionTotals,
    Kernel,
    ListedCallable,
    Listing,
    Policy,
    Reason,
    Report,
    Support,
    Target,
    Work,
)

T = TypeVar("T")
AnyReport = Report | Listing | Diagnosis | CallReport


def to_json(report: AnyReport) -> str:
    """One document, indented, `schema` and `command` first."""
    document = {"schema": report.schema, "command": report.command, **asdict(report)}
    if isinstance(report, Report):
        document["key"] = None
    return json.dumps(document, indent=1, ensure_ascii=False)


def error_to_json(command: str | None, error: JitinspectError) -> str:
    """The document that stands on stdout instead of a report."""
    document = {"schema": SCHEMA, "command": command, "error": error.as_dict()}
    return json.dumps(document, indent=1, ensure_ascii=False)


def from_json(text: str) -> AnyReport:
    """The report that `to_json` wrote; keys of a later jitinspect are passed over.

    Raises `LoadError` for what is no such document, or one of another schema.
    """
    try:
        document = json.loads(text)
        schema = document["schema"]
    except (ValueError, KeyError, TypeError):
        raise LoadError("this is not a jitinspect report", hint="save one with -o report.json") from None
    if schema != SCHEMA:
        raise LoadError(f"the report has schema {schema}, this jitinspect reads {SCHEMA}")
    return _report(document)


def _report(document: dict[str, Any]) -> AnyReport:
    if document.get("error") and "calls" not in document:
        raise LoadError(f"the report is that of an error: {document['error']['message']}")
    environment = document.get("environment") and _build(Environment, document["environment"])
    if document["command"] == "ls":
        return _build(Listing, document, callables=_each(ListedCallable, document["callables"]))
    if document["command"] == "doctor":
        readings = _each(Support, document["readings"])
        return _build(Diagnosis, document, environment=environment, readings=readings)
    if document["command"] == "trace-cache":
        return _call_report(document, environment)
    return _build(
        Report,
        document,
        target=_build(Target, document["target"]),
        environment=environment,
        artifacts=tuple(_artifact(artifact) for artifact in document["artifacts"]),
        events=_each(CompileEvent, document["events"]),
    )


def _call_report(document: dict[str, Any], environment: Environment | None) -> CallReport:
    calls = (_build(Call, call, reasons=_each(Reason, call["reasons"])) for call in document["calls"])
    return _build(
        CallReport,
        document,
        calls=tuple(calls),
        functions=_each(FunctionTotals, document["functions"]),
        totals=_build(CallTotals, document["totals"]),
        internal=_build(Work, document["internal"]),
        ahead_of_time=_build(Work, document["ahead_of_time"]),
        policies=_each(Policy, document["policies"]),
        environment=environment,
    )


def _artifact(document: dict[str, Any]) -> Artifact:
    return _build(Artifact, document, kernels=_each(Kernel, document["kernels"]))


def _each(kind: type[T], documents: list[dict[str, Any]]) -> tuple[T, ...]:
    return tuple(_build(kind, document) for document in documents)


def _build(kind: type[T], document: dict[str, Any], **replaced: Any) -> T:
    """A dataclass from the keys it knows; JSON's lists are its tuples."""
    names = kind.__dataclass_fields__  # type: ignore[attr-defined]
    known = {name: document[name] for name in names if name in document}
    tuples = {name: tuple(value) if isinstance(value, list) else value for name, value in known.items()}
    return kind(**{**tuples, **replaced})
