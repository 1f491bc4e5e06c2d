"""The history of a module: what each pass did to its lines, of XLA's dumps in their order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from jitinspect.model.pass_histories import PassHistory, Step
from jitinspect.readings.pass_dumps import Ran
from jitinspect.readings.pass_histories.replacements import replaced
from jitinspect.readings.pass_histories.versions import (
    Metadata,
    Numbers,
    Texts,
    Version,
    applied,
    edited,
)


class Recorder:
    """Takes in the passes that ran, and keeps what they made of each line."""

    def __init__(self) -> None:
        self._texts = Texts()
        self._versions: list[tuple[int, str, str, Numbers]] = []

    def add(self, ran: Ran) -> None:
        """One pass after the other, from the first one on."""
        if not self._versions:
            self._versions.append((-1, "", "", self._texts.numbers(ran.before.dump)))
        if ran.after is not ran.before:
            numbers = self._texts.numbers(ran.after.dump)
            if numbers != self._versions[-1][-1]:
                self._versions.append((ran.index, ran.dumped.pipeline, ran.dumped.pass_, numbers))

    @property
    def metadata(self) -> tuple[Metadata, ...]:
        """What the numbers of `PassHistory.origins` stand for."""
        return self._texts.metadata

    def history(self, most: int | None = None) -> PassHistory:
        """With at most so many letters in the lines that the steps need, but always with the last version."""
        lines, origins = self._texts.lines, self._texts.origins
        left_out = self._left_out(lines, most)
        kept = self._versions[left_out:]
        steps = []
        for (*_, before), (index, pipeline, pass_, after) in pairwise(kept):
            links = replaced(Version(lines, before), Version(lines, after), origins)
            steps.append(Step(index, pipeline, pass_, edited(before, after), links))
        return _without_unused(PassHistory(lines, origins, tuple(kept[0][-1]), tuple(steps), left_out))

    def _left_out(self, lines: tuple[str, ...], most: int | None) -> int:
        """How many versions, from the first on, the text of the later ones leaves no room for."""
        seen: set[int] = set()
        letters = 0
        for at in range(len(self._versions) - 1, -1, -1):
            new = set(self._versions[at][-1]) - seen
            letters += sum(len(lines[number]) for number in new)
            if most is not None and letters > most and seen:
                return at + 1
            seen |= new
        return 0


def _without_unused(history: PassHistory) -> PassHistory:
    """Without the lines that only the versions before the first one had."""
    if not history.left_out:
        return history
    used = {*history.first, *(one for step in history.steps for row in step.edits for one in row[2:])}
    order = sorted(used)
    numbers = {old: new for new, old in enumerate(order)}

    def of(rows: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(map(numbers.__getitem__, rows))

    def renumbered(step: Step) -> Step:
        links = (replace(link, before=of(link.before), after=of(link.after)) for link in step.replaced)
        edits = ((*row[:2], *of(row[2:])) for row in step.edits)
        return replace(step, edits=tuple(edits), replaced=tuple(links))

    return replace(
        history,
        lines=tuple(history.lines[one] for one in order),
        origins=tuple(history.origins[one] for one in order),
        first=of(history.first),
        steps=tuple(map(renumbered, history.steps)),
    )


def versions(history: PassHistory) -> Iterator[Version]:
    """The module before the first step, and after each."""
    numbers: Numbers = history.first
    yield Version(history.lines, numbers)
    for step in history.steps:
        numbers = applied(numbers, step.edits)
        yield Version(history.lines, numbers)
