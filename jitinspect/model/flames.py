"""Seconds by stack, as a flame graph shows them, and over time.

A report with the attribute `stacks`, a tuple of `Stack`, itself or in a part of it, is drawn as a flame graph
and saved for other viewers. If `timeline` stands beside that, a tuple of `Slice` or of what has its fields,
viewers of traces get that.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stack:
    """`seconds` spent at the innermost of `frames`, outermost first; each is what a box of the graph says."""

    frames: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Slice:
    """What ran for `seconds` from `began` on, seconds since the recording began, on `track`: a thread, or a
    stream of `device`. Those of a track lie apart or inside one another.
    """

    name: str
    began: float
    seconds: float
    track: str
    device: str = ""
