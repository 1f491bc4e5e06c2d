"""What a summary keeps of recordings while they are read, one after the other: sums, and what is listed."""

from __future__ import annotations

import itertools
import json
import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from heapq import heappush, heappushpop
from typing import Any, NamedTuple, TypeVar

from jitinspect.model.runs import Compilation, DiskLookup, Span
from jitinspect.programs.summary import MOST_KEPT, SLOWEST, Alike, Calls, Summary

Entry = TypeVar("Entry", bound=tuple[Any, ...])


class Form(NamedTuple):
    """Compilations that are alike; those that have the same `number` are alike to the other processes.

    `raised` is the stage that failed, if one did.
    """

    alike: Alike
    number: int
    raised: str | None


class Times(NamedTuple):
    """A compilation, by its form and all that this does not say; `lookups` is their JSON."""

    form: Form
    seq: int
    began: float
    ended: float
    seconds: dict[str, float]
    nearest: int | None
    thread: int
    lookups: str

    def placed(self, process: int, offset: float) -> Compilation:
        like = self.form.alike.example
        return Compilation(
            self.seq, like.kind, like.function, like.definition, like.at, like.signature, like.status,
            self.began + offset, self.ended + offset, self.seconds, like.compilations, self.nearest,
            like.reasons, like.more_differences, like.avoidable, like.raised, like.error, like.module,
            like.shared, like.late, self.thread, process, like.disk,
            tuple([DiskLookup(**one) for one in json.loads(self.lookups)]),
        )  # fmt: skip


class Course(NamedTuple):
    """The compilations of a process in their order: each one's `seq`, as text, and its form's number. In as
    little room as possible, because each process may have its own.
    """

    seqs: bytes
    numbers: bytes


class Sums:
    """Those of all recordings. `room` is for how many more compilations, `room_for_spans` for how many spans;
    there is none unless the report `lists` them. `calls` is None once a recording has not counted them.
    """

    def __init__(self, lists: bool) -> None:
        self.summary = Summary()
        self.room, self.room_for_spans = (MOST_KEPT, 3 * MOST_KEPT) if lists else (0, 0)
        self._numbers: dict[tuple[Any, ...], int] = {}
        self._examples: list[Compilation] = []
        self._courses: dict[Course, Course] = {}
        self.calls: dict[tuple[str, str | None], dict[str | None, int]] | None = {}
        self._listed: list[tuple[Kept, int, float]] = []
        self._slowest: list[tuple[float, int, int, int, Compilation | Times, float]] = []
        self._taken = itertools.count()

    def form(self, one: Compilation) -> Form:
        """That of a compilation that is added now: it may be the first of its function."""
        compared = (
            one.function, one.definition, one.at, one.signature, one.status, one.compilations, one.module,
            one.shared,
        )  # fmt: skip
        number = self._numbers.setdefault(compared, len(self._examples))
        if number == len(self._examples):
            self._examples.append(one)
        raised = f"{one.raised} {one.function}" if one.raised is not None else None
        return Form(Alike(one, self.summary), number, raised)

    def course(self, seqs: Iterable[bytes], numbers: array[int]) -> Course:
        """The same object for the same course, which most processes of a job have."""
        course = Course(b",".join(seqs), numbers.tobytes())
        return self._courses.setdefault(course, course)

    def count(self, course: Course) -> int:
        return sum(self._examples[number].compilations for number in _numbers(course))

    def compilations(self, course: Course) -> list[Compilation]:
        """Of each only what processes are compared by, and its `seq`, holds."""
        pairs = zip(course.seqs.split(b","), _numbers(course), strict=False)  # of nothing, there is one text
        return [replace(self._examples[number], seq=int(seq)) for seq, number in pairs]

    def add_calls(self, calls: Calls | None) -> None:
        """Those of a recording that has ended."""
        if calls is None or self.calls is None:
            self.calls = None
            return
        for key, lines in calls.items():
            counts = self.calls.setdefault(key, {})
            for at, count in lines.items():
                counts[at] = counts.get(at, 0) + count

    def new_kept(self) -> Kept:
        """For the next recording: what is not as slow as the slowest of the others is only counted."""
        return Kept(self._slowest[0][0] if len(self._slowest) == SLOWEST else -math.inf)

    def keep(self, kept: Kept, process: int, started: float) -> None:
        """What may be listed of a recording that has ended, of a program that `started` then."""
        if kept.compilations or kept.spans:
            self._listed.append((kept, process, started))
        for spent, seq, _, one in sorted(kept.slowest, key=lambda entry: -entry[2]):
            _push(self._slowest, (spent, seq, -process, -next(self._taken), one, started))

    def list_kept(self, first: float) -> None:
        """In the summary, on the clock of the program that started `first`."""
        for kept, process, started in self._listed:
            kept.give_to(self.summary, process, started - first)
        for spent, _, process, _, one, started in sorted(self._slowest, key=lambda entry: -entry[3]):
            self.summary.keep(_compilation(one, -process, started - first), spent)


def _numbers(course: Course) -> array[int]:
    numbers = array("L")
    numbers.frombytes(course.numbers)
    return numbers


@dataclass(slots=True)
class Kept:
    """What may be listed of a recording: its first compilations and spans, and the slowest of the others, if
    they take at least `floor` seconds.
    """

    floor: float
    compilations: list[tuple[float, Compilation | Times]] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    slowest: list[tuple[float, int, int, Compilation | Times]] = field(default_factory=list)

    def is_slow(self, spent: float) -> bool:
        """Whether it may be one of the slowest of the others."""
        return spent >= self.floor and (len(self.slowest) < SLOWEST or spent >= self.slowest[0][0])

    def take_other(self, spent: float, one: Compilation | Times, index: int) -> None:
        _push(self.slowest, (spent, -one.seq, -index, one))

    def give_to(self, summary: Summary, process: int, offset: float) -> None:
        """`offset` is how much later than the first this recording's program started."""
        for span in self.spans:
            summary.take_span(_span(span, process, offset))
        for spent, one in self.compilations:
            summary.keep(_compilation(one, process, offset), spent)


def _push(slowest: list[Entry], entry: Entry) -> None:
    (heappush if len(slowest) < SLOWEST else heappushpop)(slowest, entry)


def _span(one: Span, process: int, offset: float) -> Span:
    """`replace` takes several times as long."""
    return Span(
        one.phase, one.function, one.began + offset, one.seconds, one.thread, one.depth, one.internal,
        one.disk_hit, process,
    )  # fmt: skip


def _compilation(one: Compilation | Times, process: int, offset: float) -> Compilation:
    if isinstance(one, Times):
        return one.placed(process, offset)
    return replace(one, process=process, began=one.began + offset, ended=one.ended + offset)
