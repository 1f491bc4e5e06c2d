"""A recording → what a summary has of it, line by line: of the lines no more is kept than is listed.

Most lines have the form in which a recorder writes them, and texts that other lines had before. Those are
added to the sums of their like, without a look into their texts; all others are read one by one.
"""

from __future__ import annotations

import io
import json
import os
import sys
from array import array
from re import Match
from typing import IO, NamedTuple, cast

from jitinspect.errors import LoadError
from jitinspect.model import Phase
from jitinspect.model.runs import Compilation, Span
from jitinspect.programs.recording.kept import Course, Form, Sums, Times
from jitinspect.programs.recording.line_forms import LINES, STAGE
from jitinspect.programs.recording.reader import (
    Decode,
    LineReader,
    Recording,
    last_known,
    opened,
    read,
    under_way,
)
from jitinspect.programs.recording.sources import Source
from jitinspect.programs.recording.writer import Job
from jitinspect.programs.summary import stages_of

CHUNK = 1 << 20
"""Bytes that are read at once."""
LAST = 1 << 16
"""Bytes at the end of a recording among which its `end` is looked for."""
MOST_REMEMBERED = 20_000
"""How many texts of lines are remembered before all are forgotten, and read again."""


STAGES: tuple[Phase, ...] = ("trace", "lower", "compile")
Texts = tuple[bytes, ...]
"""What lines about the same compilation, in other processes or at other times, have in common."""


class Known:
    """What was decoded before, by the bytes of it."""

    def __init__(self, decode: Decode) -> None:
        self.decode = decode
        self.forms: dict[Texts, Form] = {}
        self.so_far: set[Texts] = set()

    def forget(self) -> None:
        """Texts, if there are very many."""
        for texts in (self.forms, self.so_far):
            if len(texts) > MOST_REMEMBERED:
                texts.clear()

    def decoded(self, line: bytes) -> Compilation | None:
        """None if it is not valid."""
        try:
            one: Compilation = self.decode(Compilation, json.loads(_text(line)))
        except (ValueError, LoadError, RecursionError):
            return None
        return one


class Streamed(NamedTuple):
    """What is told of a recording beside the sums: `seconds` are those of the program's own compilations,
    `exit_code` is None if it has no end.
    """

    file: str
    program: str
    job: Job | None
    started: float
    wall_seconds: float
    exit_code: int | None
    stopped: str | None
    under_way: str | None
    course: Course
    seconds: float


def stream(path: Source, known: Known, sums: Sums, index: int) -> Streamed:
    """The recording at `path`, whose compilations are added to the sums. Raises as `read` does."""
    with opened(path) as lines:
        taken = _Stream(LineReader(str(path), known.decode), known, sums, follows=not _ends(lines))
        try:
            while chunk := lines.read(CHUNK):
                taken.take(chunk + lines.readline())
            misses = taken.misses_what_is_under_way()
        except LoadError:
            if lines.seekable():
                read(path, known.decode)  # tells which line is the first that is invalid
            raise
    if misses:
        taken.follow(read(path, known.decode))
    return taken.ended(index)


def _ends(lines: IO[bytes]) -> bool:
    """Whether the program probably came to its end, as the last lines say."""
    if not lines.seekable():
        return False
    lines.seek(max(lines.seek(0, os.SEEK_END) - LAST, 0))
    last = lines.read(LAST)
    lines.seek(0)
    return b'\n{"record":"end",' in last


_NOTHING = b'"disk":[]'
_OF_COMPILATION = [
    LINES.groupindex[name] for name in ("form", "seq", "call", *STAGES, "number", "why", "disk")
]
"""Groups by their numbers, which are looked up faster than names."""


class _Stream:
    """`follows` what is under way, which does not matter if the program came to its end. `_counted` is up to
    where the lines of a chunk are counted. `_so_far` has the lines of compilations that have not ended, by
    their `seq`, and `_unchecked` those with new texts, which are valid if the same texts are at their end.
    `_seqs`, `_numbers` and `_spent` are of those that have ended: their forms' numbers, and their seconds.
    """

    def __init__(self, reader: LineReader, known: Known, sums: Sums, follows: bool) -> None:
        self._reader, self._known, self._sums, self._follows = reader, known, sums, follows
        self._kept = sums.new_kept()
        self._counted = 0
        self._so_far: dict[bytes, bytes] = {}
        self._unchecked: dict[bytes, tuple[Texts, bytes]] = {}
        self._seqs: list[bytes] = []
        self._numbers, self._spent = array("L"), array("d")

    def take(self, chunk: bytes) -> None:
        """Whole lines. A carriage return would end one, too."""
        position = 0
        self._known.forget()
        for match in LINES.finditer(chunk) if b"\r" not in chunk else ():
            begin, end = match.span()
            if begin > position:
                self._read(chunk, position, begin)
            if end > begin:
                self._take_match(match)
            position = max(position, end)
        self._read(chunk, position, len(chunk))
        self._counted = 0

    def _read(self, chunk: bytes, begin: int, end: int) -> None:
        """A part of a chunk, line by line."""
        self._decode_unfinished()
        self._reader.number += chunk.count(b"\n", self._counted, begin)
        self._counted = end
        part = io.BytesIO(chunk[begin:end])
        self._reader.take_lines(io.TextIOWrapper(part, encoding="utf-8", errors="replace"))
        if (recording := self._reader.recording) is not None:
            self._add_all(recording)

    def _add_all(self, recording: Recording) -> None:
        """What was read line by line."""
        for span in recording.spans:
            self._keep_span(span)
        for one in recording.compilations:
            self._add(one)
        recording.spans.clear()
        recording.compilations.clear()

    def _take_match(self, match: Match[bytes]) -> None:
        """A compilation is only valid if its texts are."""
        recording = self._reader.recording
        if recording is None:
            return self._read(match.string, *match.span())
        if self._follows or self._sums.room_for_spans:
            self._take_stages(match["stages"], recording)
        form, seq, call, trace, lower, compile, number, why, disk = match.group(*_OF_COMPILATION)
        if form is None:
            return
        texts, stages = (call, number, why, disk), (trace, lower, compile)
        if form == b"ing":
            is_valid = self._take_so_far(match, seq, texts)
        else:
            is_valid = self._take_compilation(match, seq, texts, stages, recording)
        if not is_valid:
            self._read(match.string, *match.span("compilation"))

    def _take_stages(self, lines: bytes, recording: Recording) -> None:
        for what, phase, function, began, *others in STAGE.findall(lines):
            name, since = f"{_text(phase)} {_text(function)}", float(began)
            if what == b"tart":
                recording.start(name, since)
            else:
                recording.stop(name, since + float(others[0]))
                self._keep_span(_span(_text(phase), _text(function), since, *others))

    def _keep_span(self, span: Span) -> None:
        if self._sums.room_for_spans:
            self._sums.room_for_spans -= 1
            self._kept.spans.append(span)

    def _take_so_far(self, match: Match[bytes], seq: bytes, texts: Texts) -> bool:
        line = match["compilation"]
        if texts not in self._known.so_far:
            if self._follows or seq in self._unchecked:
                if self._known.decoded(line) is None:
                    return False
                self._known.so_far.add(texts)
            else:
                self._unchecked[seq] = texts, line
        self._so_far[seq] = line
        return True

    def _check(self, unchecked: tuple[Texts, bytes], texts: Texts = ()) -> None:
        """A line about a compilation whose end has these texts, which are valid."""
        (call, _, why, disk), line = unchecked
        is_valid = disk == _NOTHING and texts[:1] + texts[2:3] == (call, why)
        if not is_valid and self._known.decoded(line) is None:
            raise LoadError("not a line of a recording")
        self._known.so_far.add(unchecked[0])

    def _take_compilation(
        self, match: Match[bytes], seq: bytes, texts: Texts, stages: Texts, recording: Recording
    ) -> bool:
        form = self._known.forms.get(texts)
        if form is None:
            if (one := self._known.decoded(match["compilation"])) is None:
                return False
            form = self._known.forms[texts] = self._sums.form(one)
        if self._unchecked and (unchecked := self._unchecked.pop(seq, None)) is not None:
            self._check(unchecked, texts)
        trace, lower, compile = float(stages[0] or 0), float(stages[1] or 0), float(stages[2] or 0)
        spent = sum((trace, lower, compile))
        self._sums.summary.add(form.alike, trace, lower, compile, spent)
        if not form.alike.internal:
            self._count(seq, form, spent)
            if spent >= self._kept.floor and self._is_kept(spent):
                self._keep(_times(form, int(seq), match), spent)
        self._so_far.pop(seq, None)
        if recording.unfinished:
            recording.unfinished.pop(int(seq), None)
        if form.raised is not None:
            recording.stop(form.raised)
        return True

    def _count(self, seq: bytes, form: Form, spent: float) -> None:
        self._seqs.append(seq)
        self._numbers.append(form.number)
        self._spent.append(spent)

    def _add(self, one: Compilation) -> None:
        """One that was read as a whole."""
        form, spent = self._sums.form(one), one.spent
        self._sums.summary.add(form.alike, *stages_of(one), spent)
        if not form.alike.internal:
            self._count(str(one.seq).encode(), form, spent)
            if self._is_kept(spent):
                self._keep(one, spent)

    def _is_kept(self, spent: float) -> bool:
        """Otherwise it is only counted."""
        return self._sums.room > 0 or self._kept.is_slow(spent)

    def _keep(self, one: Compilation | Times, spent: float) -> None:
        if self._sums.room:
            self._sums.room -= 1
            self._kept.compilations.append((spent, one))
        else:
            self._kept.take_other(spent, one, len(self._seqs))

    def _decode_unfinished(self) -> None:
        """Before what is read line by line may end them."""
        for unchecked in self._unchecked.values():
            self._check(unchecked)
        self._unchecked.clear()
        if self._so_far and (recording := self._reader.recording) is not None:
            for seq, line in self._so_far.items():
                recording.unfinished[int(seq)] = self._known.decode(Compilation, json.loads(_text(line)))
            self._so_far.clear()

    def misses_what_is_under_way(self) -> bool:
        self._decode_unfinished()
        recording = self._reader.ended()
        return not self._follows and (recording.end is None or bool(recording.unfinished))

    def follow(self, recording: Recording) -> None:
        """What is under way is what this one says."""
        self._reader.ended().under_way, self._reader.ended().last = recording.under_way, recording.last

    def ended(self, index: int) -> Streamed:
        """With all that is kept in the sums. Raises `LoadError` if there was no line."""
        recording = self._reader.ended()
        self._decode_unfinished()
        for one in last_known(recording):
            self._add(one)
        started, end = float(recording.header.get("started", 0.0)), recording.end
        self._sums.keep(self._kept, recording.job[0] if recording.job else index, started)
        self._sums.add_calls(recording.calls)
        return Streamed(
            recording.file, sys.intern(recording.program), recording.job, started, recording.wall_seconds,
            end["exit_code"] if end else None, end["stopped"] if end else None, under_way(recording),
            self._sums.course(self._seqs, self._numbers), sum(self._spent),
        )  # fmt: skip


def _span(phase: str, function: str, began: float, *others: bytes) -> Span:
    seconds, thread, depth, internal, disk_hit = others
    flags = internal == b"true", disk_hit == b"true"
    return Span(cast(Phase, phase), function, began, float(seconds), int(thread), int(depth), *flags)


def _times(form: Form, seq: int, match: Match[bytes]) -> Times:
    began, ended, nearest, thread, lookups = match.group("began", "ended", "nearest", "thread", "lookups")
    seconds = {str(stage): float(match[stage]) for stage in STAGES if match[stage]}
    known = None if nearest == b"null" else int(nearest)
    return Times(form, seq, float(began), float(ended), seconds, known, int(thread), _text(lookups))


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace")
