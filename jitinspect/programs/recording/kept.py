"""What a summary keeps of recordings while they are read, one after the other: sums, and what is listed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from heapq import heappush, heappushpop
from typing import Any, NamedTuple

from jitinspect.model.runs import Compilation, DiskLookup, Span
from jitinspect.programs.summary import MOST_KEPT, SLOWEST, Alike, Summary


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
    """The compilations of a process in their order: each one's `seq`, and its form's number."""

    seqs: tuple[int, ...]
    numbers: tuple[int, ...]


class Sums:
    """Those of all recordings. `room` is for how many more compilations, `room_for_spans` for how many spans;
    there is none unless the report `lists` them.
    """

    def __init__(self, lists: bool) -> None:
        self.summary = Summary()
        self.room, self.room_for_spans = (MOST_KEPT, 3 * MOST_KEPT) if lists else (0, 0)
        self._numbers: dict[tuple[Any, ...], int] = {}
        self._examples: list[Compilation] = []
        self._courses: dict[Course, Course] = {}

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

    def course(self, seqs: Iterable[int], numbers: Iterable[int]) -> Course:
        """The same object for the same course, which most processes of a job have."""
        course = Course(tuple(seqs), tuple(numbers))
        return self._courses.setdefault(course, course)

    def count(self, course: Course) -> int:
        return sum(self._examples[number].compilations for number in course.numbers)

    def compilations(self, course: Course) -> list[Compilation]:
        """Of each only what processes are compared by, and its `seq`, holds."""
        pairs = zip(course.seqs, course.numbers, strict=True)
        return [replace(self._examples[number], seq=seq) for seq, number in pairs]


@dataclass(slots=True)
class Kept:
    """What may be listed of a recording: its first compilations and spans, and the slowest of the others."""

    compilations: list[tuple[float, Compilation | Times]] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    slowest: list[tuple[float, int, int, Compilation | Times]] = field(default_factory=list)

    def is_slow(self, spent: float) -> bool:
        """Whether it may be one of the slowest of the others."""
        return len(self.slowest) < SLOWEST or spent >= self.slowest[0][0]

    def take_other(self, spent: float, one: Compilation | Times, index: int) -> None:
        entry = (spent, -one.seq, -index, one)
        if len(self.slowest) < SLOWEST:
            heappush(self.slowest, entry)
        else:
            heappushpop(self.slowest, entry)

    def give_to(self, summary: Summary, process: int, offset: float) -> None:
        """`offset` is how much later than the first this recording's program started."""
        for span in self.spans:
            summary.take_span(_span(span, process, offset))
        others = [(entry[0], entry[3]) for entry in sorted(self.slowest, key=lambda entry: -entry[2])]
        for spent, one in (*self.compilations, *others):
            summary.keep(_compilation(one, process, offset), spent)


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
