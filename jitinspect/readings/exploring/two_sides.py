"""The explorations of two compilations as one, in which a line of Python marks what it became in both."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TypeVar

from jitinspect.model.explorations import Exploration, Origin, Pane, Place

Numbered = TypeVar("Numbered")


def side_by_side(before: Exploration, after: Exploration) -> Exploration:
    """Sources that both have are there once, without costs, which the two may not share; of each stage there
    are two panes, `hlo before` and `hlo after`. Operations have the same origin if they would have it in one
    exploration: the same lines, and the same name.
    """
    both = _Both()
    sides = [both.panes(one) for one in (before, after)]
    sources = (replace(pane, costs=()) for pane in chain(*sides) if pane.file is not None)
    stages = ([pane for pane in side if pane.file is None] for side in sides)
    pairs = (_named(*pair) for pair in zip(*stages, strict=True))
    return both.exploration((*dict.fromkeys(sources), *chain(*pairs)))


def _named(before: Pane, after: Pane) -> tuple[Pane, Pane]:
    return replace(before, name=f"{before.name} before"), replace(after, name=f"{after.name} after")


class _Both:
    """Numbers what two explorations have, each thing once."""

    def __init__(self) -> None:
        self._files: dict[str, int] = {}
        self._places: dict[Place, int] = {}
        self._origins: dict[Origin, int] = {}
        self._sets: dict[tuple[int, ...], int] = {(): 0}

    def panes(self, one: Exploration) -> list[Pane]:
        """Those of an exploration, with the numbers of both."""
        files = [_number(self._files, file) for file in one.files]
        places = [_number(self._places, replace(place, file=files[place.file])) for place in one.places]
        origins = [
            _number(self._origins, replace(origin, places=tuple(places[place] for place in origin.places)))
            for origin in one.origins
        ]
        sets = [_number(self._sets, tuple(sorted(origins[origin] for origin in found))) for found in one.sets]
        return [
            replace(
                pane,
                file=None if pane.file is None else files[pane.file],
                origins=tuple(sets[number] for number in pane.origins),
            )
            for pane in one.panes
        ]

    def exploration(self, panes: tuple[Pane, ...]) -> Exploration:
        return Exploration(
            tuple(self._files), tuple(self._places), tuple(self._origins), tuple(self._sets), panes
        )


def _number(known: dict[Numbered, int], one: Numbered) -> int:
    return known.setdefault(one, len(known))
