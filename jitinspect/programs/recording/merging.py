"""Recordings → the report of one program, or of all processes of a job, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from jitinspect.model.runs import Compilation, Process, RunReport
from jitinspect.programs.process_differences import uneven
from jitinspect.programs.recording.kept import Sums
from jitinspect.programs.recording.reader import Decode, under_way
from jitinspect.programs.recording.sources import Source
from jitinspect.programs.recording.stream import Known, Streamed, stream
from jitinspect.programs.summary import Calls


def summarize_recordings(files: Iterable[Source], decode: Decode, lists: bool = True) -> RunReport:
    """The report of one recording, or of several together; those of one job are compared. Unless it `lists`
    them, it has no single compilations but the slowest, and no spans.
    """
    sums, known = Sums(lists), Known(decode)
    recordings = [stream(path, known, sums) for path in files]
    _list(recordings, sums)
    codes = [int(one.recording.end["exit_code"]) for one in recordings if one.recording.end]
    report = sums.summary.report(
        " and ".join(dict.fromkeys(one.recording.program for one in recordings)),
        max(one.recording.wall_seconds for one in recordings),
        _calls(recordings),
        max(codes, default=0),
        _stopped(recordings),
    )
    return replace(
        report,
        command="summary",
        compilations=report.compilations if lists else (),
        processes=tuple(_processes(recordings, sums)) if len(recordings) > 1 or not codes else (),
        uneven=uneven(_by_process(recordings, sums)),
    )


def _list(recordings: Sequence[Streamed], sums: Sums) -> None:
    """What is listed of them, on the clock of the first."""
    first = min(one.started for one in recordings)
    for index, one in enumerate(recordings):
        process = one.recording.job[0] if one.recording.job else index
        one.kept.give_to(sums.summary, process, one.started - first)


def _calls(recordings: Sequence[Streamed]) -> Calls | None:
    """All calls, if every recording counted them."""
    counted = [one.recording.calls for one in recordings]
    if any(counts is None for counts in counted):
        return None
    calls: dict[tuple[str, str | None], dict[str | None, int]] = {}
    for counts in filter(None, counted):
        for key, lines in counts.items():
            sums = calls.setdefault(key, {})
            for at, count in lines.items():
                sums[at] = sums.get(at, 0) + count
    return calls


def _by_process(recordings: Sequence[Streamed], sums: Sums) -> Mapping[str, Sequence[Compilation]]:
    """The compilations of a job's processes, if they are not all alike; only those have to be."""
    courses = {one.course for one in recordings}
    if len(courses) < 2 or not all(one.recording.job for one in recordings):
        return {}
    compilations = {course: sums.compilations(course) for course in courses}
    return {name: compilations[one.course] for name, one in _by_name(recordings)}


def _stopped(recordings: Sequence[Streamed]) -> str | None:
    if len(recordings) > 1:
        return None
    recording = recordings[0].recording
    if recording.end is not None:
        stopped: str | None = recording.end["stopped"]
        return stopped
    what = under_way(recording)
    return "the recording ends here" + (f", during {what}" if what else "")


def _processes(recordings: Sequence[Streamed], sums: Sums) -> Iterator[Process]:
    """An entry for each recording, by its index in the job."""
    for name, one in _by_name(recordings):
        end = one.recording.end
        yield Process(
            name=name,
            compilations=sums.count(one.course),
            seconds=one.seconds,
            wall_seconds=one.recording.wall_seconds,
            ended=end is not None,
            exit_code=end["exit_code"] if end else None,
            under_way=under_way(one.recording),
        )


def _by_name(recordings: Sequence[Streamed]) -> list[tuple[str, Streamed]]:
    """The recordings of a job by their index in it; others by their file names."""
    if len(recordings) > 1 and all(one.recording.job for one in recordings):
        indices = [str(one.recording.job[0]) for one in recordings if one.recording.job]
        if len({*indices}) == len(indices):
            return sorted(zip(indices, recordings, strict=True), key=lambda pair: int(pair[0]))
    return [(one.recording.file, one) for one in recordings]
