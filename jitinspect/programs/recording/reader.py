"""The lines of a recording → what they say, one by one."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import IO, Any

from jitinspect.errors import LoadError
from jitinspect.model import SCHEMA
from jitinspect.model.runs import Compilation, Span
from jitinspect.programs.recording.sources import Source
from jitinspect.programs.recording.writer import Job
from jitinspect.programs.summary import Calls

Decode = Callable[[type, Any], Any]
"""Turns a JSON value into a dataclass; raises `LoadError` if it does not fit."""


@dataclass(slots=True)
class Recording:
    """What one file holds. `under_way` are stages that began and did not end; `unfinished` are compilations
    by their `seq` that began and did not end, though XLA may have finished.
    """

    file: str
    header: Mapping[str, Any]
    compilations: list[Compilation] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    job: Job | None = None
    cache: Mapping[str, Any] = field(default_factory=dict)
    calls: Calls | None = None
    end: Mapping[str, Any] | None = None
    last: float = 0.0
    under_way: list[str] = field(default_factory=list)
    unfinished: dict[int, Compilation] = field(default_factory=dict)

    @property
    def program(self) -> str:
        return str(self.header.get("program", self.file))

    @property
    def wall_seconds(self) -> float:
        """Until the end, or until the last line that was written."""
        return float(self.end["wall_seconds"]) if self.end else self.last

    def start(self, stage: str, began: float) -> None:
        self.under_way.append(stage)
        self.last = max(self.last, began)

    def stop(self, stage: str, ended: float = 0.0) -> None:
        self.last = max(self.last, ended)
        if stage in self.under_way:
            self.under_way.remove(stage)


def read(path: Source, decode: Decode) -> Recording:
    """The recording at `path`. An incomplete last line, as a killed program leaves it, is skipped.

    Raises `LoadError` for a file that is not a recording.
    """
    reader = LineReader(str(path), decode)
    with opened(path) as stream, io.TextIOWrapper(stream, encoding="utf-8", errors="replace") as lines:
        reader.take_lines(lines)
    recording = reader.ended()
    recording.compilations += last_known(recording)
    return recording


@contextmanager
def opened(path: Source) -> Iterator[IO[bytes]]:
    """The bytes of a file. Raises `LoadError` where they cannot be read."""
    try:
        with path.open("rb") as stream:
            yield stream
    except OSError as error:
        raise LoadError(f"{path} cannot be read: {error.strerror}") from None


class LineReader:
    """Reads lines into a `recording`, which is None before the first. `number` counts the lines so far."""

    def __init__(self, name: str, decode: Decode) -> None:
        self.recording: Recording | None = None
        self.number = 0
        self._name, self._decode = name, decode

    def take_lines(self, lines: Iterable[str]) -> None:
        """Raises `LoadError` for a line that no recorder writes, but for a last one that is incomplete."""
        for line in lines:
            self.number += 1
            self._take(line)

    def _take(self, line: str) -> None:
        place = f"{self._name}:{self.number}"
        try:
            record = json.loads(line)
            kind = record["record"]
        except (ValueError, KeyError, TypeError, RecursionError):
            if not line.endswith("\n") and self.recording is not None:
                return
            raise LoadError(f"{place}: not a line of a recording") from None
        try:
            if self.recording is None:
                self.recording = _new_recording(self._name, record)
            else:
                _add_line(self.recording, kind, record, self._decode)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise LoadError(f"{place}: this line is incomplete or invalid: {error}") from None
        except LoadError as error:
            start = "" if self._name in error.message else f"{place}: "
            raise LoadError(f"{start}{error.message}", hint=error.hint) from None

    def ended(self) -> Recording:
        """Raises `LoadError` if there was no line."""
        if self.recording is None:
            raise LoadError(
                f"{self._name} is empty", hint="make one with: jitinspect run --record FILE.jsonl SCRIPT"
            )
        return self.recording


def _new_recording(name: str, record: Mapping[str, Any]) -> Recording:
    if record["record"] != "begin":
        hint = "make one with: jitinspect run --record FILE.jsonl SCRIPT"
        raise LoadError(f"{name} is not a jitinspect recording", hint=hint)
    if record.get("schema") != SCHEMA:
        raise LoadError(f"{name} has schema {record.get('schema')}, this jitinspect reads {SCHEMA}")
    return Recording(name, {**record, "started": float(record.get("started", 0.0))})


def _add_line(recording: Recording, kind: str, record: dict[str, Any], decode: Decode) -> None:
    """Lines of an unknown kind come from a later jitinspect and are ignored."""
    match kind:
        case "begin":
            raise LoadError("a second recording begins here", hint="write each to its own file")
        case "start":
            recording.start(f"{record['phase']} {record['function']}", float(record["began"]))
        case "span":
            span: Span = decode(Span, record)
            recording.spans.append(span)
            recording.stop(f"{span.phase} {span.function}", span.began + span.seconds)
        case "compiling":
            so_far: Compilation = decode(Compilation, record)
            recording.unfinished[so_far.seq] = so_far
        case "compilation":
            compilation: Compilation = decode(Compilation, record)
            recording.compilations.append(compilation)
            recording.unfinished.pop(compilation.seq, None)
            if compilation.raised is not None:
                recording.stop(f"{compilation.raised} {compilation.function}")
        case "job":
            recording.job = (int(record["process"]), int(record["processes"]))
        case "cache":
            recording.cache = {"folder": str(record["folder"]), "notes": list(map(str, record["notes"]))}
        case "calls":
            calls: dict[tuple[str, str | None], dict[str | None, int]] = {}
            for entry in record["calls"]:
                calls.setdefault((entry["function"], entry["definition"]), {})[entry["at"]] = entry["calls"]
            recording.calls = calls
        case "end":
            numbers = {"exit_code": int(record["exit_code"]), "wall_seconds": float(record["wall_seconds"])}
            recording.end = {"stopped": record.get("stopped"), **numbers}


def _is_compiling(recording: Recording, compilation: Compilation) -> bool:
    return f"compile {compilation.function}" in recording.under_way


def last_known(recording: Recording) -> Iterator[Compilation]:
    """The compilations whose end was not recorded; XLA has finished those that it is not compiling."""
    for one in recording.unfinished.values():
        yield one if _is_compiling(recording, one) else replace(one, compilations=1)


def under_way(recording: Recording) -> str | None:
    """What was running when a recording stopped: XLA may have finished while the call waits for others."""
    if recording.end is not None:
        return None
    if recording.unfinished:
        compilation = list(recording.unfinished.values())[-1]
        place = f" at {compilation.at}" if compilation.at else ""
        stage = "compile" if _is_compiling(recording, compilation) else "the call of"
        return f"{stage} {compilation.signature or compilation.function}{place}"
    return recording.under_way[-1] if recording.under_way else None
