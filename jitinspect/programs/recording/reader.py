"""Recordings → the report of one program, or of all processes of a job, side by side."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jitinspect.errors import LoadError
from jitinspect.model import SCHEMA
from jitinspect.model.runs import Compilation, Process, RunReport, Span
from jitinspect.programs.process_differences import uneven
from jitinspect.programs.recording.writer import Job
from jitinspect.programs.summary import Calls, Summary


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


def summarize_recordings(files: Sequence[Path], decode: Callable[[type, Any], Any]) -> RunReport:
    """The report of one recording, or of several together; those of one job are compared."""
    recordings = [read(path, decode) for path in files]
    summary, calls = merged(recordings)
    wall = max(recording.wall_seconds for recording in recordings)
    codes = [int(recording.end["exit_code"]) for recording in recordings if recording.end]
    report = summary.report(
        " and ".join(dict.fromkeys(recording.program for recording in recordings)),
        wall,
        calls,
        max(codes, default=0),
        _stopped(recordings),
    )
    return replace(
        report,
        command="summary",
        processes=tuple(processes(recordings)) if len(recordings) > 1 or not codes else (),
        uneven=uneven(_by_process(recordings)),
    )


def _by_process(recordings: Sequence[Recording]) -> Mapping[str, Any]:
    """The compilations of a job's processes; only those have to be alike."""
    if len(recordings) < 2 or not all(recording.job for recording in recordings):
        return {}
    return {name: recording.compilations for name, recording in by_name(recordings)}


def _stopped(recordings: Sequence[Recording]) -> str | None:
    if len(recordings) > 1:
        return None
    end = recordings[0].end
    if end is not None:
        stopped: str | None = end["stopped"]
        return stopped
    under_way = _under_way(recordings[0])
    return "the recording ends here" + (f", during {under_way}" if under_way else "")


def read(path: Path, decode: Callable[[type, Any], Any]) -> Recording:
    """The recording at `path`; `decode` turns a JSON value into a dataclass. An incomplete last line, as a
    killed program leaves it, is skipped. Raises `LoadError` for a file that is not a recording.
    """
    recording: Recording | None = None
    for number, line in enumerate(_lines(path), 1):
        try:
            record = json.loads(line)
            kind = record["record"]
        except (ValueError, KeyError, TypeError, RecursionError):
            if not line.endswith("\n") and recording is not None:
                break
            raise LoadError(f"{path}:{number}: not a line of a recording") from None
        try:
            if recording is None:
                recording = _new_recording(path, record)
            else:
                _add_line(recording, kind, record, decode)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise LoadError(f"{path}:{number}: this line is incomplete or invalid: {error}") from None
        except LoadError as error:
            place = "" if str(path) in error.message else f"{path}:{number}: "
            raise LoadError(f"{place}{error.message}", hint=error.hint) from None
    if recording is not None:
        recording.compilations += [
            _last_known(recording, compilation) for compilation in recording.unfinished.values()
        ]
        return recording
    raise LoadError(f"{path} is empty", hint="make one with: jitinspect run --record FILE.jsonl SCRIPT")


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8", errors="replace") as stream:
            yield from stream
    except OSError as error:
        raise LoadError(f"{path} cannot be read: {error.strerror}") from None


def _new_recording(path: Path, record: Mapping[str, Any]) -> Recording:
    if record["record"] != "begin":
        hint = "make one with: jitinspect run --record FILE.jsonl SCRIPT"
        raise LoadError(f"{path} is not a jitinspect recording", hint=hint)
    if record.get("schema") != SCHEMA:
        raise LoadError(f"{path} has schema {record.get('schema')}, this jitinspect reads {SCHEMA}")
    return Recording(str(path), {**record, "started": float(record.get("started", 0.0))})


def _add_line(
    recording: Recording, kind: str, record: dict[str, Any], decode: Callable[[type, Any], Any]
) -> None:
    """Lines of an unknown kind come from a later jitinspect and are ignored."""
    match kind:
        case "begin":
            raise LoadError("a second recording begins here", hint="write each to its own file")
        case "start":
            recording.under_way.append(f"{record['phase']} {record['function']}")
            recording.last = max(recording.last, float(record["began"]))
        case "span":
            span: Span = decode(Span, record)
            recording.spans.append(span)
            recording.last = max(recording.last, span.began + span.seconds)
            if (name := f"{span.phase} {span.function}") in recording.under_way:
                recording.under_way.remove(name)
        case "compiling":
            so_far: Compilation = decode(Compilation, record)
            recording.unfinished[so_far.seq] = so_far
        case "compilation":
            compilation: Compilation = decode(Compilation, record)
            recording.compilations.append(compilation)
            recording.unfinished.pop(compilation.seq, None)
            if (
                compilation.raised is not None
                and (name := f"{compilation.raised} {compilation.function}") in recording.under_way
            ):
                recording.under_way.remove(name)
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


def merged(recordings: Sequence[Recording]) -> tuple[Summary, Calls | None]:
    """All compilations of all recordings, and all calls if every recording counted them."""
    summary = Summary()
    first = min((float(recording.header.get("started", 0.0)) for recording in recordings), default=0.0)
    for index, recording in enumerate(recordings):
        offset = float(recording.header.get("started", first)) - first
        process = recording.job[0] if recording.job else index
        for span in recording.spans:
            summary.take_span(replace(span, began=span.began + offset, process=process))
        for compilation in recording.compilations:
            began, ended = compilation.began + offset, compilation.ended + offset
            summary.take(replace(compilation, process=process, began=began, ended=ended))
    counted = [recording.calls for recording in recordings]
    if any(counts is None for counts in counted):
        return summary, None
    calls: dict[tuple[str, str | None], dict[str | None, int]] = {}
    for counts in filter(None, counted):
        for key, lines in counts.items():
            sums = calls.setdefault(key, {})
            for at, count in lines.items():
                sums[at] = sums.get(at, 0) + count
    return summary, calls


def processes(recordings: Sequence[Recording]) -> Iterator[Process]:
    """An entry for each recording, by its index in the job."""
    for name, recording in by_name(recordings):
        own = [compilation for compilation in recording.compilations if compilation.kind != "internal"]
        yield Process(
            name=name,
            compilations=sum(compilation.compilations for compilation in own),
            seconds=sum(compilation.spent for compilation in own),
            wall_seconds=recording.wall_seconds,
            ended=recording.end is not None,
            exit_code=recording.end["exit_code"] if recording.end else None,
            under_way=_under_way(recording),
        )


def _is_compiling(recording: Recording, compilation: Compilation) -> bool:
    return f"compile {compilation.function}" in recording.under_way


def _last_known(recording: Recording, compilation: Compilation) -> Compilation:
    """A compilation whose end was not recorded; XLA has finished it unless it is still compiling."""
    return compilation if _is_compiling(recording, compilation) else replace(compilation, compilations=1)


def _under_way(recording: Recording) -> str | None:
    """What was running when a recording stopped: XLA may have finished while the call waits for others."""
    if recording.end is not None:
        return None
    if recording.unfinished:
        compilation = list(recording.unfinished.values())[-1]
        place = f" at {compilation.at}" if compilation.at else ""
        stage = "compile" if _is_compiling(recording, compilation) else "the call of"
        return f"{stage} {compilation.signature or compilation.function}{place}"
    return recording.under_way[-1] if recording.under_way else None


def by_name(recordings: Sequence[Recording]) -> list[tuple[str, Recording]]:
    """The recordings of a job by their index in it; others by their file names."""
    if len(recordings) > 1 and all(recording.job for recording in recordings):
        indices = [str(recording.job[0]) for recording in recordings if recording.job]
        if len({*indices}) == len(indices):
            return sorted(zip(indices, recordings, strict=True), key=lambda pair: int(pair[0]))
    return [(recording.file, recording) for recording in recordings]
