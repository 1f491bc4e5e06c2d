"""The history of an instruction: of its name, back to what it was made of, on to what replaced it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Protocol

from jitinspect.model.pass_histories import (
    Event,
    InstructionHistory,
    PassEvent,
    PassHistory,
    Replaced,
    Replacement,
)
from jitinspect.readings.pass_histories.versions import Lines, Numbers, Version, name_of, versions

_MOST_FOLLOWED = 8
"""Of so many in the place of one, or that one was made of: of more, each has a history of its own."""


class Changed(Protocol):
    """A pass that changed some line: a `Step`, or what one can be made of."""

    @property
    def index(self) -> int: ...
    @property
    def pipeline(self) -> str: ...
    @property
    def pass_(self) -> str: ...
    @property
    def replaced(self) -> tuple[Replaced, ...]: ...


class Histories:
    """Those of all instructions of a module, by its versions, as rows of numbers: the one before
    the first of the `steps`, and those after each.

    What a version says is read where it is asked for, and of two of them kept.
    """

    def __init__(self, lines: Lines, rows: Sequence[Numbers], steps: Sequence[Changed]) -> None:
        self._lines = lines
        self._rows = rows
        self._steps = steps
        self._version = lru_cache(maxsize=2)(self._read)

    def _read(self, at: int) -> Version:
        return Version(self._lines, self._rows[at])

    def of(self, name: str) -> InstructionHistory | None:
        """Where several had that name one after the other, of the last one; None if none had it.

        Before the pass that made it, it is followed by those that it was made of; after the one that removed
        it, by those in its place, where either is known.
        """
        last = self._last(name)
        if last is None:
            return None
        earlier, first = _backward(map(self._move, range(last - 1, -1, -1)), name)
        given = [_given(self._version(0), one) for one in first]
        later = _forward(map(self._move, range(last, len(self._steps))), name)
        return InstructionHistory(name, (*given, *chain.from_iterable(reversed(earlier)), *later))

    def _last(self, name: str) -> int | None:
        """The last version that has the instruction."""
        defining = {number for number, one in enumerate(self._lines.names) if one == name}
        return next((at for at in reversed(range(len(self._rows))) if defining & {*self._rows[at]}), None)

    def _move(self, at: int) -> _Move:
        return _Move(self._steps[at], self._version(at), self._version(at + 1))


def histories(history: PassHistory) -> Histories:
    return Histories(Lines(history.lines), [*versions(history)], history.steps)


@dataclass(frozen=True, slots=True)
class _Move:
    """A pass, with the module before and after it."""

    step: Changed
    before: Version
    after: Version

    def event(self, name: str) -> PassEvent | None:
        """What it did to an instruction that is there on either side; None if that is nothing."""
        was, is_ = name in self.before.at, name in self.after.at
        before = self.before.line(name) if was else None
        after = self.after.line(name) if is_ else None
        places = self.before.computations.get(name), self.after.computations.get(name)
        if (before, places[0]) == (after, places[1]):
            return None
        return PassEvent(
            index=self.step.index,
            pipeline=self.step.pipeline,
            pass_=self.step.pass_,
            event=_kind(before, after),
            instruction=name,
            before=before,
            after=after,
            from_computation=places[0],
            computation=places[1],
            called_by=tuple(self.after.callers.get(places[1] or "", ())),
            fuses=_fused(self.after, name) if is_ and not was else (),
            replacements=tuple(self._replacements(name)) if was != is_ else (),
        )

    def _replacements(self, name: str) -> Iterator[Replacement]:
        """Those known; if there are none, those that may be."""
        number = (self.before if name in self.before else self.after).at[name]
        links = [
            one for one in self.step.replaced if number in (one.before if name in self.before else one.after)
        ]
        known = [one for one in links if one.how != "unknown"]
        yield from (self._named(one, name) for one in known or links)

    def _named(self, link: Replaced, name: str) -> Replacement:
        lines = [self.before.lines[one] for one in link.before], [self.after.lines[one] for one in link.after]
        alike, others = lines if name in self.before else lines[::-1]
        return Replacement(
            link.how,
            tuple(map(name_of, others)),
            tuple(others),
            tuple(one for one in map(name_of, alike) if one != name),
        )


def _kind(before: str | None, after: str | None) -> Event:
    if before is None:
        return "appeared"
    if after is None:
        return "vanished"
    return "moved" if before == after else "changed"


def _fused(version: Version, name: str) -> tuple[str, ...]:
    inside = (one for called in version.fused(name) for one in version.inside.get(called, ()))
    return tuple(one for one in inside if version.operation(one).opcode != "parameter")


def _given(version: Version, name: str) -> PassEvent:
    computation = version.computations[name]
    called_by = tuple(version.callers.get(computation, ()))
    line = version.line(name)
    return PassEvent(None, "", "", "given", name, None, line, None, computation, called_by)


def _backward(moves: Iterable[_Move], name: str) -> tuple[list[list[PassEvent]], list[str]]:
    """The events of each move, of which the last one comes first, and what is there before all of them."""
    followed = [name]
    found = []
    for move in moves:
        events = [(one, move.event(one)) for one in followed]
        found.append([event for _, event in events if event])
        followed = [*_followed(events, "appeared")]
    return found, followed


def _forward(moves: Iterable[_Move], name: str) -> Iterator[PassEvent]:
    followed = [name]
    for move in moves:
        events = [(one, move.event(one)) for one in followed]
        yield from (event for _, event in events if event)
        followed = [one for one in _followed(events, "vanished") if one in move.after]


def _followed(events: Iterable[tuple[str, PassEvent | None]], end: Event) -> Iterator[str]:
    """Each that is there on the other side of the pass, or what is in its place there."""
    found: dict[str, None] = {}
    for name, event in events:
        if event is None or event.event != end:
            found[name] = None
            continue
        known = [one for link in event.replacements if link.how != "unknown" for one in link.others]
        found |= dict.fromkeys(known if len(known) <= _MOST_FOLLOWED else ())
    return iter(found)
