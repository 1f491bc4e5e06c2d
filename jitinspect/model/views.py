"""Parts and summaries of one stage's text: what `--op`, `--line`, `--outline`, `--stats` … ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class View:
    """What is asked for. `op` is a regular expression, `line` is `41` or `file.py:41`, `fusion` a name;
    `neighbours` counts steps along operands and users, not lines of text.
    """

    op: str | None = None
    line: str | None = None
    fusion: str | None = None
    neighbours: int = 0
    fold: bool = False
    source: bool = False
    outline: bool = False
    stats: bool = False

    @property
    def selects(self) -> bool:
        return bool(self.op or self.line or self.fusion)

    @property
    def is_whole(self) -> bool:
        """Whether it is the plain text that is asked for."""
        return self == View()


@dataclass(frozen=True, slots=True)
class Branch:
    """A block of a program: how many operations, of which kinds, and the blocks within it; `times` such
    blocks stand side by side, and `runs` is how often a loop runs it, None where that is not known.
    """

    label: str
    operations: int
    ops: Mapping[str, int]
    times: int = 1
    runs: int | None = 1
    branches: tuple[Branch, ...] = ()


@dataclass(frozen=True, slots=True)
class OpCount:
    """`bytes` is the size of all results of this kind of operation."""

    op: str
    count: int
    bytes: int


@dataclass(frozen=True, slots=True)
class TypeCount:
    """Results of one type; `bytes` is the size of one."""

    type: str
    count: int
    bytes: int


@dataclass(frozen=True, slots=True)
class LineCount:
    """`at` is a line of the user's, None for operations of no known line."""

    at: str | None
    count: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Unrolled:
    """The same `operations` `times` times in a row: a loop of Python's, at `at`."""

    at: str
    times: int
    operations: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Stats:
    """A histogram of a program: its operations, the types of their results, and the lines that made them."""

    operations: int
    blocks: int
    ops: tuple[OpCount, ...] = ()
    types: tuple[TypeCount, ...] = ()
    lines: tuple[LineCount, ...] = ()
    unrolled: tuple[Unrolled, ...] = ()


WHOLE = View()
