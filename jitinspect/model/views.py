"""Summaries of one stage's text, for `--outline` and `--stats`. Other commands do not load this module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Branch:
    """A block of a program: how many operations, of which kinds, and the blocks within it. There are `times`
    such blocks in a row, and `runs` is how often a loop runs it, None if that is not known.
    """

    label: str
    operations: int
    ops: Mapping[str, int]
    times: int = 1
    runs: int | None = 1
    branches: tuple[Branch, ...] = ()


@dataclass(frozen=True, slots=True)
class OpCount:
    """`bytes` is the total size of the results of this kind of operation."""

    op: str
    count: int
    bytes: int


@dataclass(frozen=True, slots=True)
class TypeCount:
    """Results of one type; `bytes` is the size of each."""

    type: str
    count: int
    bytes: int


@dataclass(frozen=True, slots=True)
class LineCount:
    """`at` is a line of the user's code, None for operations whose line is not known."""

    at: str | None
    count: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Unrolled:
    """The same `operations`, `times` times in a row: a Python loop, at `at`, that was unrolled."""

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
