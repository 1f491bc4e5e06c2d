"""A module's text after each pass: each different line once, and versions as rows of their numbers."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, cached_property
from typing import NamedTuple, overload

from jitinspect.ir.backend_configs import with_sorted_keys
from jitinspect.ir.hlo_instructions import (
    OpcodeAndOperands,
    called_at,
    frames_of,
    instruction,
    opcode_and_operands,
)
from jitinspect.ir.hlo_stack_frames import StackFrames
from jitinspect.ir.op_names import op_name
from jitinspect.ir.program import Frame
from jitinspect.ir.readable_hlo import readable_part
from jitinspect.model.pass_histories import PassHistory
from jitinspect.readings.dumped_modules import DumpedModule, Line

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
        self._origins: dict[str, int] = {}
        """By what XLA wrote, as long as the tables stay the same."""
        self._known = _Known(self._number)
        """Those of the last module's lines, under the same condition."""

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

    def numbers(self, module: DumpedModule) -> Numbers:
        """Those of a module's lines: of the heads of computations, and of what is in them."""
        self._read(module.head)
        code = module.code
        numbers = array("l", map(self._known.__getitem__, code))
        self._known = _Known(self._number, zip(code, numbers, strict=True))
        return numbers

    def _read(self, head: str) -> None:
        """The tables of stack frames, below the module's own line; most dumps have those of the last."""
        tables = head[head.find("\n") :]
        if tables != self._tables:
            self._tables, self._stacks, self._origins = tables, StackFrames(tables), {}
            self._known = _Known(self._number)

    def _number(self, line: Line) -> int:
        text = with_sorted_keys(readable_part(line.text).strip())
        return self._lines.setdefault((text, self._origin(line.metadata)), len(self._lines))

    def _origin(self, metadata: str) -> int:
        number = self._origins.get(metadata)
        if number is None:
            told = Metadata(op_name(metadata), frames_of(metadata, self._stacks))
            number = self._origins[metadata] = self._metadata.setdefault(told, len(self._metadata))
        return number


class _Known(dict[Line, int]):
    """The numbers of lines, by `number` where they are not known."""

    def __init__(self, number: Callable[[Line], int], known: Iterable[tuple[Line, int]] = ()) -> None:
        super().__init__(known)
        self._number = number

    def __missing__(self, line: Line) -> int:
        found = self[line] = self._number(line)
        return found


class Lines(Sequence[str]):
    """The different lines of all versions: what one says is read once, however many have it."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self.operation = cache(self._operation)
        """The opcode and the operands of an instruction, by its number."""

    @overload
    def __getitem__(self, number: int) -> str: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[str]: ...
    def __getitem__(self, number: int | slice) -> str | Sequence[str]:
        return self._texts[number]

    def __len__(self) -> int:
        return len(self._texts)

    @cached_property
    def names(self) -> list[str]:
        """The name that each defines; "" of the heads of computations."""
        return list(map(name_of, self._texts))

    @cached_property
    def heads(self) -> dict[int, str]:
        """The names of computations, by the numbers of their heads."""
        found = ((number, _HEAD.match(self[number])) for number, name in enumerate(self.names) if not name)
        return {number: head[1] for number, head in found if head}

    @cached_property
    def called(self) -> dict[int, tuple[str, ...]]:
        """The computations that an instruction calls, of those that call any."""
        found = ((number, tuple(_called(text))) for number, text in enumerate(self._texts))
        return {number: names for number, names in found if names}

    def _operation(self, number: int) -> OpcodeAndOperands:
        return opcode_and_operands(self[number])


class Version:
    """A module as it is between two passes. Instructions are known by their names, which are its own."""

    def __init__(self, lines: Lines, numbers: Numbers) -> None:
        self.lines = lines
        self.numbers = numbers

    def __contains__(self, name: str) -> bool:
        return name in self.at

    @cached_property
    def at(self) -> dict[str, int]:
        """The number of each instruction's line."""
        names = self.lines.names
        return {name: number for number in self.numbers if (name := names[number])}

    @cached_property
    def computations(self) -> dict[str, str]:
        """Instruction → the computation that it is in."""
        names, heads = self.lines.names, self.lines.heads
        found, computation = {}, ""
        for number in self.numbers:
            if name := names[number]:
                found[name] = computation
            else:
                computation = heads.get(number, computation)
        return found

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
        calling = self.lines.called
        for name, number in self.at.items():
            for called in calling.get(number, ()):
                found.setdefault(called, []).append(name)
        return found

    def line(self, name: str) -> str:
        return self.lines[self.at[name]]

    def operation(self, name: str) -> OpcodeAndOperands:
        return self.lines.operation(self.at[name])

    def fused(self, name: str) -> tuple[str, ...]:
        """The computation of a fusion; empty for other instructions."""
        whole = instruction(self.line(name), 0) if self.operation(name).opcode == "fusion" else None
        return whole.calls if whole else ()

    def root(self, computation: str) -> str | None:
        """The instruction whose result is that of the computation."""
        inside = self.inside.get(computation, ())
        return next((name for name in inside if self.is_root(name)), None)

    def is_root(self, name: str) -> bool:
        return self.line(name).startswith("ROOT ")


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


def versions(history: PassHistory) -> Iterator[Numbers]:
    """The module before the first step, and after each."""
    numbers: Numbers = history.first
    yield numbers
    for step in history.steps:
        numbers = applied(numbers, step.edits)
        yield numbers


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
        length = bisect_left(ends, place) if ends and place <= ends[-1] else len(ends)
        back[at] = last[length - 1] if length else None
        ends[length : length + 1], last[length : length + 1] = [place], [at]
    pairs, now = [], last[-1] if last else None
    while now is not None:
        pairs.append((places[after[now]], now))
        now = back[now]
    return pairs[::-1]
