"""Origins by number: each is written once, and so is each set of them that a line has."""

from __future__ import annotations

from collections.abc import Iterable

from jitinspect.ir.attribution import Line
from jitinspect.ir.origins import Origin
from jitinspect.model import explorations
from jitinspect.model.explorations import Pane, Place
from jitinspect.process.paths import relative


class OriginTable:
    """Filled while panes are made."""

    def __init__(self) -> None:
        self._files: dict[str, int] = {}
        self._places: dict[Line, int] = {}
        self._origins: dict[Origin, int] = {}
        self._sets: dict[tuple[int, ...], int] = {(): 0}
        self._known: dict[int, tuple[tuple[Origin, ...], int]] = {}
        """By the identity of a tuple, which is kept for that: to compare them takes much longer."""

    def set_of(self, origins: tuple[Origin, ...]) -> int:
        """The number of the set of these origins."""
        if id(origins) not in self._known:
            numbers = tuple(sorted({self._origin(one) for one in origins}))
            self._known[id(origins)] = origins, self._sets.setdefault(numbers, len(self._sets))
        return self._known[id(origins)][1]

    def file(self, name: str) -> int:
        return self._files.setdefault(name, len(self._files))

    def lines(self) -> tuple[Line, ...]:
        """All that any origin names."""
        return tuple(self._places)

    def exploration(self, panes: Iterable[Pane]) -> explorations.Exploration:
        """The panes with all that their numbers stand for."""
        return explorations.Exploration(
            files=tuple(map(relative, self._files)),
            places=tuple(Place(self.file(line.file), line.line) for line in self._places),
            origins=tuple(
                explorations.Origin(tuple(self._places[line] for line in one.lines), one.path)
                for one in self._origins
            ),
            sets=tuple(self._sets),
            panes=tuple(panes),
        )

    def _origin(self, origin: Origin) -> int:
        if origin not in self._origins:
            for line in origin.lines:
                self.file(line.file)
                self._places.setdefault(line, len(self._places))
            self._origins[origin] = len(self._origins)
        return self._origins[origin]
