"""Recordings → the report of one program, or of all processes of a job, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from jitinspect.model.runs import Compilation, Process, RunReport
from jitinspect.programs.process_differences import uneven
from jitinspect.programs.recording.kept import Sums
from jitinspect.programs.recording.reader import Decode
from jitinspect.programs.recording.sources import Source
from jitinspect.programs.recording.stream import Known, Streamed, stream


def summarize_recordings(files: Iterable[Source], decode: Decode, lists: bool = True) -> RunReport:
    """The report of one recording, or of several together; those of one job are compared. Unless it `lists`
    them, it has no single compilations but the slowest, and no spans.
    """
    sums, known = Sums(lists), Known(decode)
    recordings = [stream(path, known, sums, index) for index, path in enumerate(files)]
    sums.list_kept(min(one.started for one in recordings))
    codes = [one.exit_code for one in recordings if one.exit_code is not None]
    report = sums.summary.report(
        " and ".join(dict.fromkeys(one.program for one in recordings)),
        max(one.wall_seconds for one in recordings),
        sums.calls,
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


def _by_process(recordings: Sequence[Streamed], sums: Sums) -> Mapping[str, Sequence[Compilation]]:
    """The compilations of a job's processes, if they are not all alike; only those have to be."""
    courses = {one.course for one in recordings}
    if len(courses) < 2 or not all(one.job for one in recordings):
        return {}
    compilations = {course: sums.compilations(course) for course in courses}
    return {name: compilations[one.course] for name, one in _by_name(recordings)}


def _stopped(recordings: Sequence[Streamed]) -> str | None:
    if len(recordings) > 1:
        return None
    (one,) = recordings
    if one.exit_code is not None:
        return one.stopped
    return "the recording ends here" + (f", during {one.under_way}" if one.under_way else "")


def _processes(recordings: Sequence[Streamed], sums: Sums) -> Iterator[Process]:
    """An entry for each recording, by its index in the job."""
    for name, one in _by_name(recordings):
        yield Process(
            name=name,
            compilations=sums.count(one.course),
            seconds=one.seconds,
            wall_seconds=one.wall_seconds,
            ended=one.exit_code is not None,
            exit_code=one.exit_code,
            under_way=one.under_way,
        )


def _by_name(recordings: Sequence[Streamed]) -> list[tuple[str, Streamed]]:
    """The recordings of a job by their index in it; others by their file names."""
    if len(recordings) > 1 and all(one.job for one in recordings):
        indices = [str(one.job[0]) for one in recordings if one.job]
        if len({*indices}) == len(indices):
            return sorted(zip(indices, recordings, strict=True), key=lambda pair: int(pair[0]))
    return [(one.file, one) for one in recordings]
