"""A module's text after each pass: each different line once, and versions as rows of their numbers."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from jitinspect.ir.backend_configs import with_sorted_keys
from jitinspect.ir.hlo_instructions import called_at, frames_of, instruction
from jitinspect.ir.hlo_stack_frames import StackFrames
from jitinspect.ir.op_names import op_name
from jitinspect.ir.program import Frame, Operation
from jitinspect.ir.readable_hlo import readable

_HEAD = re.compile(r"(?:ENTRY )?%?([^\s(]+) .*\{$")
_DEFINED = re.compile(r"(?:ROOT )?%?([\w.\-]+) = ")
_CALLS = re.compile(r"\w+=\{?%")
Numbers = Sequence[int]
Edits = tuple[tuple[int, ...], ...]


class Metadata(NamedTuple):
    """What XLA says of an instruction: what JAX calls it, and its stack, innermost first."""

    op_name: str
    frames: tuple[Frame, ...]


class Texts:
    """Numbers for lines and for metadata, while the dumps are read in their order."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, int], int] = {}
        self._metadata: dict[Metadata, int] = {Metadata("", ()): 0}
        self._tables = ""
        self._stacks = StackFrames("")
        self._known: dict[str, int] = {}
        """Of lines with metadata, as long as the tables stay the same."""

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(text for text, _ in self._lines)

    @property
    def origins(self) -> tuple[int, ...]:
        """Of each line, the number of its metadata."""
        return tuple(origin for _, origin in self._lines)

    @property
    def metadata(self) -> tuple[Metadata, ...]:
        return tuple(self._metadata)

    def numbers(self, dump: str) -> Numbers:
        """Those of a module's lines: of the heads of computations, and of what is in them."""
        self._read(dump[: dump.find("\n\n", dump.find("\nStackFrames\n")) + 2])
        kept = (line for line in dump.split("\n") if line.startswith("  ") or line.endswith("{"))
        return array("l", map(self._number, kept))

    def _read(self, head: str) -> None:
        """The tables of stack frames, below the module's own line; most dumps have those of the last."""
        tables = head[head.find("\n") :]
        if tables != self._tables:
            self._tables, self._stacks, self._known = tables, StackFrames(tables), {}

    def _number(self, line: str) -> int:
        number = self._known.get(line)
        if number is None:
            told = Metadata(op_name(line), frames_of(line, self._stacks))
            origin = self._metadata.setdefault(told, len(self._metadata))
            text = with_sorted_keys(readable(line).strip())
            number = self._known[line] = self._lines.setdefault((text, origin), len(self._lines))
        return number


class Version:
    """A module as it is between two passes. Instructions are known by their names, which are its own."""

    def __init__(self, lines: Sequence[str], numbers: Numbers) -> None:
        self.lines = lines
        self.numbers = numbers

    def __contains__(self, name: str) -> bool:
        return name in self.at

    @cached_property
    def at(self) -> dict[str, int]:
        """The number of each instruction's line."""
        return {name: number for number, name, _ in self._instructions()}

    @cached_property
    def computations(self) -> dict[str, str]:
        """Instruction → the computation that it is in."""
        return {name: computation for _, name, computation in self._instructions()}

    @cached_property
    def inside(self) -> dict[str, list[str]]:
        """Computation → its instructions."""
        found: dict[str, list[str]] = {}
        for name, computation in self.computations.items():
            found.setdefault(computation, []).append(name)
        return found

    @cached_property
    def callers(self) -> dict[str, list[str]]:
        """Computation → the instructions that call it."""
        found: dict[str, list[str]] = {}
        for name, number in self.at.items():
            for called in _called(self.lines[number]):
                found.setdefault(called, []).append(name)
        return found

    def line(self, name: str) -> str:
        return self.lines[self.at[name]]

    def operation(self, name: str) -> Operation:
        found = instruction(self.line(name), 0)
        assert found is not None, "a line that defines something"
        return found

    def root(self, computation: str) -> str | None:
        """The instruction whose result is that of the computation."""
        inside = self.inside.get(computation, ())
        return next((name for name in inside if self.is_root(name)), None)

    def is_root(self, name: str) -> bool:
        return self.line(name).startswith("ROOT ")

    def _instructions(self) -> Iterator[tuple[int, str, str]]:
        """Number, name and computation of each."""
        computation = ""
        for number in self.numbers:
            if defined := _DEFINED.match(self.lines[number]):
                yield number, defined[1], computation
            elif head := _HEAD.match(self.lines[number]):
                computation = head[1]


def name_of(line: str) -> str:
    """The name that a line defines; "" if it is the head of a computation."""
    defined = _DEFINED.match(line)
    return defined[1] if defined else ""


def _called(line: str) -> Iterator[str]:
    if "=%" in line or "={%" in line:  # most call nothing
        for found in _CALLS.finditer(line):
            yield from called_at(line, found.start())


def edited(before: Numbers, after: Numbers) -> Edits:
    """The edits that make `after` of `before`, as `Step` has them: as many lines stay as can."""
    rows, stay, was, now = [], 0, 0, 0
    for at_before, at_after in [*_common(before, after), (len(before), len(after))]:
        if at_before > was or at_after > now:
            rows.append((stay, at_before - was, *after[now:at_after]))
            stay = 0
        stay += 1
        was, now = at_before + 1, at_after + 1
    return tuple(rows)


def applied(before: Numbers, edits: Edits) -> Numbers:
    """What `edited` was given as `after`."""
    made, at = array("l"), 0
    for stay, removed, *added in edits:
        made.extend(before[at : at + stay])
        made.extend(added)
        at += stay + removed
    made.extend(before[at:])
    return made


def _common(before: Numbers, after: Numbers) -> list[tuple[int, int]]:
    """The longest row of lines that both have in the same order, by their places: of numbers that occur once,
    that is the longest row of places that increase.
    """
    places = {number: at for at, number in enumerate(before)}
    ends: list[int] = []  # of rows of each length, the least place that one ends at
    last: list[int] = []
    back: dict[int, int | None] = {}
    for at, number in enumerate(after):
        place = places.get(number)
        if place is None:
            continue
        length = bisect_left(ends, place)
        back[at] = last[length - 1] if length else None
        ends[length : length + 1], last[length : length + 1] = [place], [at]
    pairs, now = [], last[-1] if last else None
    while now is not None:
        pairs.append((places[after[now]], now))
        now = back[now]
    return pairs[::-1]
