"""How a module's instructions came to be, pass by pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

How = Literal["metadata", "users", "unknown"]
"""By what two instructions belong together: XLA gave both the same metadata; a user of the one uses the other
after the pass; or the same metadata, where which became which is unknown: of several, or with other opcodes.
"""
Event = Literal["given", "appeared", "changed", "moved", "vanished"]


@dataclass(frozen=True, slots=True)
class Replaced:
    """Instructions that a pass removed, and others that are there in their place, by the numbers of their
    lines. Those of `users` may have been there before the pass; those of the others are new.
    """

    how: How
    before: tuple[int, ...]
    after: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A pass that changed some line. `edits` make the lines before it those after it: each row is how many
    lines stay, how many of those that follow are removed, and the numbers of those that are there instead.
    """

    index: int
    pipeline: str
    pass_: str
    edits: tuple[tuple[int, ...], ...]
    replaced: tuple[Replaced, ...]


@dataclass(frozen=True, slots=True)
class PassHistory:
    """A module after each pass. `lines` are the different ones of all versions, heads of computations and
    instructions, as `hlo` prints them, without indentation and closing brackets. `origins` is a number for
    each, the same where metadata is the same, 0 without any. In an exploration, `sets` has an index into
    its own for each.

    `first` are the numbers of the lines before the first of the `steps`. That is what XLA was given, unless
    it has `left_out` so many passes that changed lines, for the sake of its size.
    """

    lines: tuple[str, ...]
    origins: tuple[int, ...]
    first: tuple[int, ...]
    steps: tuple[Step, ...]
    left_out: int = 0
    sets: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Replacement:
    """Of an event: the instructions on the other side of the pass, with their lines, and those on this side
    that share them.
    """

    how: How
    others: tuple[str, ...]
    lines: tuple[str, ...]
    alike: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PassEvent:
    """What a pass did to an instruction: its line before and after, and the computations that it is in.
    `called_by` are the instructions that call the latter, `fuses` those in the computation of a fusion.
    `replacements` are what it was made of, if it appeared, or what is in its place, if it vanished.

    `index` is that of the pass, None for the module that XLA was given, or for the first one that is known.
    """

    index: int | None
    pipeline: str
    pass_: str
    event: Event
    instruction: str
    before: str | None = None
    after: str | None = None
    from_computation: str | None = None
    computation: str | None = None
    called_by: tuple[str, ...] = ()
    fuses: tuple[str, ...] = ()
    replacements: tuple[Replacement, ...] = ()


@dataclass(frozen=True, slots=True)
class InstructionHistory:
    """All that is known of an instruction, in the order of the passes; `signature` is that of the call."""

    instruction: str
    events: tuple[PassEvent, ...]
    signature: str = ""
