"""How the lines of two texts correspond, row by row: what a page shows side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

SAME: Final = 0
CHANGED: Final = 1
REMOVED: Final = 2
ADDED: Final = 3
APART: Final = 4
"""Kinds of rows. A row apart has a line of one side that is no change: a blank one, or one of a block that
the other side has more or less often.
"""


@dataclass(frozen=True, slots=True)
class PaneComparison:
    """Of the panes named `before` and `after`; `name` is the stage, or "python". How many `operations` both
    sides have, and how many are `changed`, `added` and `removed`, is as in `Summary`, and so are `ops`,
    `flops` and `bytes`, which only HLO has; of Python it is lines that are counted.

    `rows` are runs of rows of one kind: the kind, the first line of each side, or -1 if it has none, and how
    many rows. Each line of both texts is in one row; those of `before` are in their order, those of `after`
    are so within each block. `words` has a number for each changed row: an index into `changes`, in each of
    which there are, for both sides, columns from and to which words were changed.
    """

    before: str
    after: str
    name: str
    operations: tuple[int, int]
    changed: int
    added: int
    removed: int
    rows: tuple[tuple[int, int, int, int], ...]
    words: tuple[int, ...]
    changes: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]
    ops: Mapping[str, int] = field(default_factory=dict)
    flops: tuple[int | None, int | None] | None = None
    bytes: tuple[int | None, int | None] | None = None
