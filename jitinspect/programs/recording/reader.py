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
    """What one file holds. `under_way` are stages that began and did not end, `unfinished` compilations by
    their `seq` that had begun, of which XLA need not be done.
    """

    file: str
    header: Mapping[str, Any]
    compilations: list[Compilation] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    job: Job | None = None
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
        """To the end, or to the last that was heard."""
        return float(self.end["wall_seconds"]) if self.end else self.last


def summarized(files: Sequence[Path], decode: Callable[[type, Any], Any]) -> RunReport:
    """The report of one recording, or of several together; those of one job are held side by side."""
    recordings = [read(path, decode) for path in files]
    summary, calls = added_up(recordings)
    wall = max(one.wall_seconds for one in recordings)
    codes = [int(one.end["exit_code"]) for one in recordings if one.end]
    report = summary.report(
        " and ".join(dict.fromkeys(one.program for one in recordings)),
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
    """Those of a job; nothing else has to compile alike."""
    if len(recordings) < 2 or not all(one.job for one in recordings):
        return {}
    return {name: one.compilations for name, one in named(recordings)}


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
    """The recording of `path`; `decode` makes a dataclass of a JSON value. A last line that is not whole, as
    a killed program leaves it, is passed over. Raises `LoadError` for what is no recording.
    """
    recording: Recording | None = None
    for number, line in enumerate(_lines(path), 1):
        try:
            told = json.loads(line)
            kind = told["record"]
        except (ValueError, KeyError, TypeError, RecursionError):
            if not line.endswith("\n") and recording is not None:
                break
            raise LoadError(f"{path}:{number}: not a line of a recording") from None
        try:
            if recording is None:
                recording = _begun(path, told)
            else:
                _take(recording, kind, told, decode)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise LoadError(f"{path}:{number}: this line lacks something: {error}") from None
        except LoadError as error:
            place = "" if str(path) in error.message else f"{path}:{number}: "
            raise LoadError(f"{place}{error.message}", hint=error.hint) from None
    if recording is not None:
        recording.compilations += [
            _as_far_as_it_came(recording, one) for one in recording.unfinished.values()
        ]
        return recording
    raise LoadError(f"{path} is empty", hint="make one with: jitinspect run --record FILE.jsonl SCRIPT")


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8", errors="replace") as stream:
            yield from stream
    except OSError as error:
        raise LoadError(f"{path} cannot be read: {error.strerror}") from None


def _begun(path: Path, told: Mapping[str, Any]) -> Recording:
    if told["record"] != "begin":
        hint = "make one with: jitinspect run --record FILE.jsonl SCRIPT"
        raise LoadError(f"{path} is not a jitinspect recording", hint=hint)
    if told.get("schema") != SCHEMA:
        raise LoadError(f"{path} has schema {told.get('schema')}, this jitinspect reads {SCHEMA}")
    return Recording(str(path), {**told, "started": float(told.get("started", 0.0))})


def _take(recording: Recording, kind: str, told: dict[str, Any], decode: Callable[[type, Any], Any]) -> None:
    """Lines of a kind that is not known are those of a later jitinspect."""
    match kind:
        case "begin":
            raise LoadError("a second recording begins here", hint="give each a file of its own")
        case "start":
            recording.under_way.append(f"{told['phase']} {told['function']}")
            recording.last = max(recording.last, float(told["began"]))
        case "span":
            span: Span = decode(Span, told)
            recording.spans.append(span)
            recording.last = max(recording.last, span.began + span.seconds)
            if (name := f"{span.phase} {span.function}") in recording.under_way:
                recording.under_way.remove(name)
        case "compiling":
            so_far: Compilation = decode(Compilation, told)
            recording.unfinished[so_far.seq] = so_far
        case "compilation":
            one: Compilation = decode(Compilation, told)
            recording.compilations.append(one)
            recording.unfinished.pop(one.seq, None)
            if one.raised is not None and (name := f"{one.raised} {one.function}") in recording.under_way:
                recording.under_way.remove(name)
        case "job":
            recording.job = (int(told["process"]), int(told["processes"]))
        case "calls":
            calls: dict[tuple[str, str | None], dict[str | None, int]] = {}
            for each in told["calls"]:
                calls.setdefault((each["function"], each["definition"]), {})[each["at"]] = each["calls"]
            recording.calls = calls
        case "end":
            numbers = {"exit_code": int(told["exit_code"]), "wall_seconds": float(told["wall_seconds"])}
            recording.end = {"stopped": told.get("stopped"), **numbers}


def added_up(recordings: Sequence[Recording]) -> tuple[Summary, Calls | None]:
    """All compilations of all recordings, and all calls where each counted them."""
    summary = Summary()
    first = min((float(one.header.get("started", 0.0)) for one in recordings), default=0.0)
    for index, recording in enumerate(recordings):
        later = float(recording.header.get("started", first)) - first
        process = recording.job[0] if recording.job else index
        for span in recording.spans:
            summary.take_span(replace(span, began=span.began + later, process=process))
        for one in recording.compilations:
            summary.take(replace(one, process=process, began=one.began + later, ended=one.ended + later))
    counted = [recording.calls for recording in recordings]
    if any(one is None for one in counted):
        return summary, None
    calls: dict[tuple[str, str | None], dict[str | None, int]] = {}
    for each in filter(None, counted):
        for key, told in each.items():
            sums = calls.setdefault(key, {})
            for at, count in told.items():
                sums[at] = sums.get(at, 0) + count
    return summary, calls


def processes(recordings: Sequence[Recording]) -> Iterator[Process]:
    """A line for each recording, by its index in the job."""
    for name, recording in named(recordings):
        own = [one for one in recording.compilations if one.kind != "internal"]
        yield Process(
            name=name,
            compilations=sum(one.compilations for one in own),
            seconds=sum(one.spent for one in own),
            wall_seconds=recording.wall_seconds,
            ended=recording.end is not None,
            exit_code=recording.end["exit_code"] if recording.end else None,
            under_way=_under_way(recording),
        )


def _is_compiling(recording: Recording, one: Compilation) -> bool:
    return f"compile {one.function}" in recording.under_way


def _as_far_as_it_came(recording: Recording, one: Compilation) -> Compilation:
    """A compilation that was not heard of again."""
    return one if _is_compiling(recording, one) else replace(one, compilations=1)


def _under_way(recording: Recording) -> str | None:
    """What a recording without an end was at: XLA may be done and the call not, where it waits for others."""
    if recording.end is not None:
        return None
    if recording.unfinished:
        one = list(recording.unfinished.values())[-1]
        place = f" at {one.at}" if one.at else ""
        stage = "compile" if _is_compiling(recording, one) else "the call of"
        return f"{stage} {one.signature or one.function}{place}"
    return recording.under_way[-1] if recording.under_way else None


def named(recordings: Sequence[Recording]) -> list[tuple[str, Recording]]:
    """The recordings of a job by their index in it; others by their files' names."""
    if len(recordings) > 1 and all(recording.job for recording in recordings):
        indices = [str(recording.job[0]) for recording in recordings if recording.job]
        if len({*indices}) == len(indices):
            return sorted(zip(indices, recordings, strict=True), key=lambda pair: int(pair[0]))
    return [(recording.file, recording) for recording in recordings]
