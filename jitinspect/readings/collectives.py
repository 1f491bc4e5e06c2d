"""`collectives`: what moves between devices, how much, and which line asked for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

from jitinspect.ir.attribution import Line
from jitinspect.ir.source_files import SourceFiles
from jitinspect.model import Target
from jitinspect.model.communication import Collective, CollectivesReport, LinkSpeed, MeshShape, Moved
from jitinspect.process import garbage_collection
from jitinspect.readings.communication.subjects import communication
from jitinspect.stages.inspection import Subject


def read(target: Target, subjects: Iterator[Subject]) -> CollectivesReport:
    """Compiles each subject. Raises `UnavailableError` if the compiled HLO is not available."""
    sources = SourceFiles()
    rows: list[Collective] = []
    known: dict[MeshShape, None] = {}
    links: dict[LinkSpeed, None] = {}
    signatures = []
    for subject in subjects:
        found = communication(subject, target.file, sources)
        with garbage_collection.paused():
            made = found.rows()
        known.update(dict.fromkeys(found.meshes))
        signatures.append(subject.signature)
        speed = subject.device.links if subject.device else None
        if speed:
            links[speed] = None
        rows += [_of_call(row, subject.signature, speed) for row in made]
    return CollectivesReport(
        command="collectives",
        target=replace(target, signature=signatures[0]),
        collectives=tuple(rows),
        wire_bytes=sum(row.moved_bytes for row in rows),
        by_kind=_totals(_part(row.kind, row) for row in rows),
        by_axes=_totals(_part(",".join(row.axes), row) for row in rows),
        by_line=tuple(_with_text(one, sources) for one in _totals(chain(*map(_by_line, rows)))),
        meshes=tuple(known),
        links=tuple(links),
    )


def _of_call(row: Collective, signature: str, links: LinkSpeed | None) -> Collective:
    """With the least time, if it is known what a device can send per second."""
    return replace(row, signature=signature, seconds=row.moved_bytes / links.bandwidth if links else None)


class _Part(NamedTuple):
    """What a row, or its part for one line, adds to a total."""

    name: str
    runs: int
    moved: int
    seconds: float | None


def _part(name: str, row: Collective) -> _Part:
    return _Part(name, row.counted_runs, row.moved_bytes, row.seconds)


def _by_line(row: Collective) -> Iterator[_Part]:
    """A part for each line of a row."""
    for line, bytes_ in zip(row.lines, row.line_bytes, strict=True):
        share = bytes_ / row.wire_bytes if row.wire_bytes else 0
        seconds = None if row.seconds is None else row.seconds * share
        yield _Part(line, row.counted_runs, bytes_ * row.counted_runs, seconds)
    if not row.lines:
        yield _part("", row)


def _totals(parts: Iterable[_Part]) -> tuple[Moved, ...]:
    """What moves most first; a tie is in the order of the rows."""
    groups: dict[str, list[_Part]] = {}
    for part in parts:
        groups.setdefault(part.name, []).append(part)
    totals = (_total(name, group) for name, group in groups.items())
    return tuple(sorted(totals, key=lambda total: -total.wire_bytes))


def _with_text(total: Moved, sources: SourceFiles) -> Moved:
    file, _, number = total.name.rpartition(":")
    return replace(total, text=sources.text_of(Line(file, int(number)))) if file else total


def _total(name: str, parts: list[_Part]) -> Moved:
    seconds = [part.seconds for part in parts if part.seconds is not None]
    return Moved(
        name,
        len(parts),
        sum(part.runs for part in parts),
        sum(part.moved for part in parts),
        sum(seconds) if seconds else None,
    )
