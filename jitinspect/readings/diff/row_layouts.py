"""Which statements are in which rows of two blocks: again and again the same in blocks that are alike but for
names.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from jitinspect.readings.diff.sides_of_rows import PairOfSides

Numbers = tuple[int | None, int | None]
"""Of the statements of a row; None where one side has none."""


@dataclass(eq=False, slots=True)
class Layout:
    """`same` tells of each of the `rows` whether nothing differs. If other blocks can have this layout too,
    `shown` tells for each name of the right which name of the left is shown for it, by their places.
    """

    rows: list[Numbers]
    same: list[bool]
    shown: list[int] | None = None
    changes: list[Numbers] = field(init=False)
    """The rows in which something differs."""

    def __post_init__(self) -> None:
        self.changes = [row for row, is_same in zip(self.rows, self.same, strict=True) if not is_same]


def shown_places(sides: PairOfSides) -> list[int] | None:
    """None if names decide what is shown: those of blocks, and those that only the right has."""
    left, right = sides.left, sides.right
    if left.skeleton.called or right.skeleton.called:
        return None
    places = {name: at for at, name in enumerate(left.names)}
    found = [places.get(sides.names.get(name, "")) for name in right.names]
    shown = [place for place in found if place is not None]
    return shown if len(shown) == len(found) else None
