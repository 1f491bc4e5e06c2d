"""All texts of a function side by side, and how their lines belong together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jitinspect.model.comparisons import PaneComparison
from jitinspect.model.pass_histories import PassHistory

Language = Literal["python", "jaxpr", "stablehlo", "hlo", "llvm", "asm", "text"]


@dataclass(frozen=True, slots=True)
class Place:
    """A line of Python, counted from 1, in one of `Exploration.files`, by its index."""

    file: int
    line: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an operation comes from: `places` are indices of the lines of Python on its stack, innermost
    first, and `op` is what JAX calls it, `transpose(jvp(block))/dot_general`, in one form for jaxpr,
    StableHLO and HLO; "" if that is not known.
    """

    places: tuple[int, ...]
    op: str


@dataclass(frozen=True, slots=True)
class LineCost:
    """What the operation on a line costs in all its runs, a fusion with all that is in it; `seconds` are
    measured, None if they were not.
    """

    line: int
    flops: int
    bytes: int
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Pane:
    """One text. Lines are indices into `text.split("\\n")`.

    `file` is that of a Python pane, which begins with its line number `first`. `origins` has an index into
    `Exploration.sets` for each line; none in a Python pane, whose lines have the origins that name them.
    `folds` are the first and the last line of what can be folded. `operands` has a row for each operation
    that uses others, in differences, which layers that are alike share: its line less that of the row before
    (less 0 in the first), and its line less that of each operation that it uses. `unavailable` says why there
    is no text.
    """

    name: str
    language: Language
    text: str
    file: int | None = None
    first: int = 1
    origins: tuple[int, ...] = ()
    folds: tuple[tuple[int, ...], ...] = ()
    operands: tuple[tuple[int, ...], ...] = ()
    costs: tuple[LineCost, ...] = ()
    unavailable: str | None = None


@dataclass(frozen=True, slots=True)
class Exploration:
    """`sets` are the origins that a line can have, sorted indices; the first is the empty one. Where two
    compilations are compared, `comparisons` are those of their panes. `history` is that of the HLO, if XLA's
    passes were asked for.
    """

    files: tuple[str, ...]
    places: tuple[Place, ...]
    origins: tuple[Origin, ...]
    sets: tuple[tuple[int, ...], ...]
    panes: tuple[Pane, ...]
    comparisons: tuple[PaneComparison, ...] = ()
    history: PassHistory | None = None
