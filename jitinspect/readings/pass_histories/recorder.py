"""The history of a module: what each pass did to its lines, of XLA's dumps in their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from jitinspect.ir.hlo_instructions import opcode_and_operands
from jitinspect.model.pass_histories import PassHistory, Replaced, Step
from jitinspect.readings.pass_dumps import Ran
from jitinspect.readings.pass_histories.histories import Histories
from jitinspect.readings.pass_histories.replacements import replaced
from jitinspect.readings.pass_histories.versions import (
    Lines,
    Metadata,
    Numbers,
    Texts,
    Version,
    edited,
    name_of,
)


@dataclass(frozen=True, slots=True)
class _Recorded:
    """A pass, and the module after it."""

    index: int
    pipeline: str
    pass_: str
    numbers: Numbers


class _Change:
    """A pass, and the versions before and after it."""

    def __init__(self, lines: Lines, origins: Sequence[int], before: _Recorded, after: _Recorded) -> None:
        self.index, self.pipeline, self.pass_ = after.index, after.pipeline, after.pass_
        self._modules = Version(lines, before.numbers), Version(lines, after.numbers)
        self._origins = origins

    @cached_property
    def replaced(self) -> tuple[Replaced, ...]:
        return replaced(*self._modules, self._origins)


class Recorder:
    """Takes in the passes that ran, and keeps what they made of each line."""

    def __init__(self) -> None:
        self._texts = Texts()
        self._versions: list[_Recorded] = []

    def add(self, ran: Ran) -> None:
        """One pass after the other, from the first one on."""
        if not self._versions:
            self._versions.append(_Recorded(-1, "", "", self._texts.numbers(ran.before)))
        if ran.after is not ran.before:
            numbers = self._texts.numbers(ran.after)
            if numbers != self._versions[-1].numbers:
                self._versions.append(_Recorded(ran.index, ran.dumped.pipeline, ran.dumped.pass_, numbers))

    @property
    def metadata(self) -> tuple[Metadata, ...]:
        """What the numbers of `PassHistory.origins` stand for."""
        return self._texts.metadata

    @property
    def words(self) -> set[str]:
        """The names and the opcodes of all instructions."""
        texts = self._texts.lines
        return {*map(name_of, texts), *(opcode_and_operands(text).opcode for text in texts)} - {""}

    def histories(self) -> Histories:
        """Those of single instructions: what replaced what is found out where it is asked for."""
        lines, origins = Lines(self._texts.lines), self._texts.origins
        steps = [_Change(lines, origins, *one) for one in pairwise(self._versions)]
        return Histories(lines, [one.numbers for one in self._versions], steps)

    def history(self, most: int | None = None) -> PassHistory:
        """With at most so many letters in the lines that the steps need, but always with the last version."""
        texts, origins = self._texts.lines, self._texts.origins
        left_out = self._left_out(texts, most)
        kept = self._versions[left_out:]
        lines = Lines(texts)
        modules = pairwise(Version(lines, one.numbers) for one in kept)
        steps = tuple(
            Step(
                one.index,
                one.pipeline,
                one.pass_,
                edited(before.numbers, after.numbers),
                replaced(before, after, origins),
            )
            for one, (before, after) in zip(kept[1:], modules, strict=True)
        )
        return _without_unused(PassHistory(texts, origins, tuple(kept[0].numbers), steps, left_out))

    def _left_out(self, lines: tuple[str, ...], most: int | None) -> int:
        """How many versions, from the first on, the text of the later ones leaves no room for."""
        seen: set[int] = set()
        letters = 0
        for at in range(len(self._versions) - 1, -1, -1):
            new = set(self._versions[at].numbers) - seen
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
