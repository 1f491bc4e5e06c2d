"""A report as one JSON document, and back: `from_json ∘ to_json` is the same report."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, TypeVar

from jitinspect.errors import JitinspectError, LoadError
from jitinspect.model import (
    SCHEMA,
    Artifact,
    CacheKey,
    Call,
    CallReport,
    CallTotals,
    Change,
    Comparison,
    CompileEvent,
    Diagnosis,
    DiskEntry,
    DiskKey,
    Environment,
    FunctionTotals,
    Kernel,
    KeyDifference,
    ListedCallable,
    Listing,
    MemoryKey,
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
    """One document, indented, `schema` and `command` first. A sweep has `keys`; the first is its `key`."""
    document = {"schema": report.schema, "command": report.command, **asdict(report)}
    if isinstance(report, Report):
        keys, against = document.pop("keys"), document.pop("against")
        document["key"] = keys[0] if keys else None
        document |= {"keys": keys} if len(keys) > 1 else {}
        document |= {"against": against} if report.command == "key" or against else {}
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
        keys=tuple(map(_key, document.get("keys") or filter(None, [document.get("key")]))),
        against=_comparison(document["against"]) if document.get("against") else None,
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
        unwatched=_build(Work, document.get("unwatched", {"compilations": 0, "seconds": 0.0})),
        policies=_each(Policy, document["policies"]),
        environment=environment,
    )


def _key(document: dict[str, Any]) -> CacheKey:
    return _build(
        CacheKey,
        document,
        memory=_build(MemoryKey, document["memory"]),
        disk=_disk(document["disk"]) if document.get("disk") else None,
    )


def _disk(document: dict[str, Any]) -> DiskKey:
    entry = document.get("entry")
    return _build(DiskKey, document, entry=_build(DiskEntry, entry) if entry else None)


def _comparison(document: dict[str, Any]) -> Comparison:
    disk = [
        _build(KeyDifference, difference, why=_each(Change, difference["why"]))
        for difference in document["disk"]
    ]
    return _build(Comparison, document, memory=_each(Change, document["memory"]), disk=tuple(disk))


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
