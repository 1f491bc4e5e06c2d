"""Lines of HLO text → instructions: one by one, or all of a computation at once, which is much quicker."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

from jitinspect.ir.hlo_spans import Span
from jitinspect.ir.hlo_stack_frames import StackFrames
from jitinspect.ir.program import Block, Frame, Operation

_NAME = re.compile(r"%([\w.\-]+)")
_BARE = re.compile(r"[\w.\-]+")
CALLING = (
    "calls", "to_apply", "body", "condition", "true_computation", "false_computation",
    "branch_computations", "called_computations", "comparator", "select", "scatter",
)  # fmt: skip
"""The attributes that name other blocks."""
_CALLING_WORD = re.compile("|".join(f"{word}=" for word in CALLING))
_SINGLE = re.compile(rf"(?:{'|'.join(CALLING)})=%([\w.\-]+)")
_CALLED = re.compile(r"(?:" + "|".join(CALLING) + r")=(\{[^}]*\}|%?[\w.\-]+)")
_LITERAL = ("constant", "parameter")
"""What is in their parentheses is not an operand."""
_FRAME = re.compile(r"stack_frame_id=(\d+)")
_INSTRUCTION = re.compile(
    r"^  (?:ROOT )?%?([^ \n]+) = ([^( \n][^ \n]*|\([^\n]*?\)) ([a-z][\w\-]*)\(([^\n]*)$", re.MULTILINE
)
"""Name, type, opcode, and all that follows the parenthesis behind it."""
_OPCODE = re.compile(r" ([a-z][\w\-]*)\(")
_NO_BLOCKS: list[Block] = []
"""What is inside of each instruction."""
_PARAMETER = re.compile(r"[( ]([\w.\-]+): ")


def instruction(line: str, number: int, stacks: StackFrames | None = None) -> Operation | None:
    """That of one line; None if it has none. Its frames come from the `stacks` of JAX's own text."""
    left, found, right = line.partition(" = ")
    if not found:
        return None
    type_end = _past_type(right)
    opening = right.find("(", type_end)
    opcode, tail = right[type_end + 1 : opening], right[opening + 1 :]
    operands, rest = _split(tail)
    return Operation(
        names=(left.strip().removeprefix("ROOT ").lstrip("%"),),
        opcode=opcode,
        operands=() if opcode in _LITERAL else _names(operands),
        type=right[:type_end],
        rest=operands + rest if opcode in _LITERAL else rest,
        start=number,
        end=number + 1,
        arguments=operands if "#" in operands else "",
        frames=frames_of(rest, stacks),
        calls=_called(rest) if "%" in rest or "%" not in left else (),
    )


class OpcodeAndOperands(NamedTuple):
    """What most questions about an instruction need."""

    opcode: str
    operands: tuple[str, ...]


def opcode_and_operands(line: str) -> OpcodeAndOperands:
    """Those of the instruction in a line, without its indentation, as `instruction` reads them."""
    found = _INSTRUCTION.match(f"  {line}")
    if found:
        return OpcodeAndOperands(found[3], () if found[3] in _LITERAL else _names(_split(found[4])[0]))
    whole = instruction(line, 0)
    return OpcodeAndOperands(whole.opcode, whole.operands) if whole else OpcodeAndOperands("", ())


def frames_of(attributes: str, stacks: StackFrames | None) -> tuple[Frame, ...]:
    """Those that an instruction's attributes name, in JAX's own text, or its whole line."""
    found = _FRAME.search(attributes) if stacks is not None else None
    return stacks[int(found[1])] if found and stacks is not None else ()


def called_at(text: str, at: int) -> tuple[str, ...]:
    """The names of the blocks in the attribute, one of `CALLING`, that begins there."""
    found = _CALLED.match(text, at)
    return _names(found[1]) if found else ()


class _Attributes(NamedTuple):
    """What follows an instruction's operands, and what it says."""

    rest: str
    calls: tuple[str, ...]
    frames: tuple[Frame, ...]


class _Instruction(Operation):
    """One whose attributes are as they are in the text: what it calls, and its frames, are read from them
    when they are first asked for.
    """

    __slots__ = ("_reader",)
    _reader: Reader

    @classmethod
    def made(
        cls, name: str, opcode: str, operands: tuple[str, ...], type_: str, rest: str, start: int,
        arguments: str, reader: Reader,
    ) -> Operation:  # fmt: skip
        self = cls.__new__(cls)
        self.names, self.opcode, self.operands, self.type = (name,), opcode, operands, type_
        self.rest, self.start, self.end, self.arguments = rest, start, start + 1, arguments
        self.inner, self.made_by, self.path, self.around = _NO_BLOCKS, "", "", ()
        self._reader = reader
        return self

    def __getattr__(self, name: str) -> Any:
        """Called for what has no value yet."""
        if name == "calls":
            self.calls = self._reader.called(self.rest)
            return self.calls
        if name == "frames":
            self.frames = frames_of(self.rest, self._reader.stacks)
            return self.frames
        raise AttributeError(name)


class Reader:
    """Reads the instructions of whole blocks. What recurs, such as types, is read once. `readable`, if it is
    given, is applied to each part of a line.
    """

    def __init__(
        self, text: str, stacks: StackFrames | None, readable: Callable[[str], str] | None = None
    ) -> None:
        self._text = text
        self.stacks = stacks
        self._is_raw = readable is None
        self._readable = readable = readable or str
        self._has_percents = "  %" in text or "ROOT %" in text
        self._type = cache(readable)
        self._opcode = cache(str)
        self._read = cache(self._attributes)

    def parameters(self, block: Span) -> tuple[str, ...]:
        head = self._text[block.begin : block.first]
        return tuple(_PARAMETER.findall(head.rpartition(") -> ")[0]))

    def words(self, block: Span) -> set[str]:
        """At least the opcodes of its instructions, and the names of all that they define, use and call."""
        text = self._text[block.first : block.end]
        names = _NAME if self._has_percents else _BARE
        return {*_OPCODE.findall(text), *names.findall(text)}

    def operations(self, block: Span) -> list[Operation]:
        start, end = block.places["start"] + 1, block.places["end"] - 1
        rows = _INSTRUCTION.findall(self._text, block.first, block.end)
        if len(rows) == end - start:
            return list(self._as_they_are(start, rows) if self._is_raw else self._operations(start, rows))
        return list(self._line_by_line(start, self._text[block.first : block.end]))

    def _operations(self, start: int, rows: list[tuple[str, str, str, str]]) -> Iterator[Operation]:
        for number, (name, type_, opcode, tail) in enumerate(rows, start):
            operands, rest = _split(tail)
            is_literal = opcode in _LITERAL
            read = self._read(operands + rest if is_literal else rest)
            yield Operation(
                (name,),
                self._opcode(opcode),
                () if is_literal else _names(operands),
                self._type(type_),
                read.rest,
                number,
                number + 1,
                self._readable(operands) if "#" in operands else "",
                read.frames,
                _NO_BLOCKS,
                read.calls,
            )

    def _as_they_are(self, start: int, rows: list[tuple[str, str, str, str]]) -> Iterator[Operation]:
        for number, (name, type_, opcode, tail) in enumerate(rows, start):
            operands, rest = _split(tail)
            is_literal = opcode in _LITERAL
            yield _Instruction.made(
                name,
                self._opcode(opcode),
                () if is_literal else _names(operands),
                self._type(type_),
                operands + rest if is_literal else rest,
                number,
                operands if "#" in operands else "",
                self,
            )

    def called(self, attributes: str) -> tuple[str, ...]:
        return _called_by_percent(attributes) if self._has_percents else _called(attributes)

    def _attributes(self, text: str) -> _Attributes:
        rest = self._readable(text)
        return _Attributes(rest, self.called(rest), frames_of(text, self.stacks))

    def _line_by_line(self, start: int, text: str) -> Iterator[Operation]:
        for number, line in enumerate(text.split("\n"), start):
            found = instruction(self._readable(line), number)
            if found is not None:
                found.frames = frames_of(line, self.stacks)
                yield found


def _split(tail: str) -> tuple[str, str]:
    """The operands and the attributes in what follows an opcode and its parenthesis. Parentheses in strings
    do not count.
    """
    operands, _, rest = tail.partition(")")
    if "(" in operands or '"' in operands:
        closing = _closing(tail)
        return tail[:closing], tail[closing + 1 :]
    return operands, rest


def _past_type(text: str) -> int:
    """Where the type at the start of `text` ends. A tuple's type is in parentheses and has spaces in it."""
    return _closing(text[1:]) + 2 if text.startswith("(") else text.find(" ")


def _closing(text: str) -> int:
    """Where the parenthesis that was opened before `text` is closed; those in strings do not count."""
    first = text.partition(")")[0]
    if "(" not in first and '"' not in first:
        return len(first)
    depth, at = 1, 0
    while at < len(text):
        letter = text[at]
        if letter == '"':
            at = _end_of_string(text, at)
        elif letter in "()":
            depth += 1 if letter == "(" else -1
            if depth == 0:
                return at
        at += 1
    return len(text)


def _end_of_string(text: str, at: int) -> int:
    at += 1
    while at < len(text) and text[at] != '"':
        at += 2 if text[at] == "\\" else 1
    return at


def _called(rest: str) -> tuple[str, ...]:
    """In the order of the text; of each attribute the first that there is."""
    found: dict[str, int] = {}
    for word in _CALLING_WORD.finditer(rest):
        found.setdefault(word[0], word.start())
    return tuple(name for at in found.values() for name in called_at(rest, at))


def _called_by_percent(rest: str) -> tuple[str, ...]:
    """The same where names begin with `%`: most attributes name none, which is seen at once."""
    at = rest.find("=%")
    if at < 0:
        return _called(rest) if "={%" in rest else ()
    single = _SINGLE.match(rest, rest.rfind(" ", 0, at) + 1)
    return single.groups() if single and "={%" not in rest and rest.find("=%", at + 1) < 0 else _called(rest)


def _names(text: str) -> tuple[str, ...]:
    """JAX prints the HLO that XLA is given without `%`. For TPUs, jax 0.12 prints an element of a tuple as
    `%a#1`.
    """
    return tuple((_NAME if "%" in text else _BARE).findall(text))
