"""HLO text → program. Each computation is a block, each instruction is a line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jitinspect.ir.hlo_stack_frames import StackFrames
from jitinspect.ir.program import Block, Operation, Program

_HEAD = re.compile(r"(ENTRY )?%?([^\s(]+)(?: \(|\s*\{)")
_NAME = re.compile(r"%([\w.\-]+)")
_BARE = re.compile(r"[\w.\-]+")
_CALLED = re.compile(
    r"(?:calls|to_apply|body|condition|true_computation|false_computation|branch_computations"
    r"|called_computations|comparator|select|scatter)=(\{[^}]*\}|%?[\w.\-]+)"
)
_TRIPS = re.compile(r'"known_trip_count":\{"n":"(\d+)"\}')
_LITERAL = ("constant", "parameter")
"""What is in their parentheses is not an operand."""
_FRAME = re.compile(r"stack_frame_id=(\d+)")
_PARAMETER = re.compile(r"([\w.\-]+): ")


def parse(text: str, raw: str | None = None) -> Program:
    """`text` is readable HLO or JAX's own; source lines come from `raw`, JAX's own text, if it is given.

    Both must be of one module, and so have the same instructions in the same order.
    """
    lines = text.split("\n")
    head = next((line for line in lines if line.startswith("HloModule")), "")
    program = Program("hlo", lines, list(_blocks(lines)), head)
    if raw is not None or "stack_frame_id=" in text:
        _give_frames(program, raw if raw is not None else text)
    return program


def trip_count(operation: Operation) -> int | None:
    """How often a `while` runs its body; None if XLA does not know it."""
    found = _TRIPS.search(operation.rest)
    return int(found[1]) if found else None


def _blocks(lines: list[str]) -> Iterator[Block]:
    block = None
    for number, line in enumerate(lines):
        if block is None:
            if line.endswith("{") and not line.startswith(("HloModule", " ")) and (head := _HEAD.match(line)):
                parameters = tuple(_PARAMETER.findall(line.rpartition(") -> ")[0]))
                block = Block(head[2], parameters, [], number, number, is_entry=bool(head[1]))
        elif line.startswith("}"):
            block.end = number + 1
            yield block
            block = None
        elif (operation := _operation(line, number)) is not None:
            block.operations.append(operation)


def _operation(line: str, number: int) -> Operation | None:
    """`  ROOT %add.3 = f32[8] add(%a, %b), attribute=…`."""
    left, found, right = line.partition(" = ")
    if not found:
        return None
    type_end = _past_type(right)
    opening = right.find("(", type_end)
    closing = _closing(right, opening)
    opcode, operands, rest = right[type_end + 1 : opening], right[opening + 1 : closing], right[closing + 1 :]
    names = () if opcode in _LITERAL else _names(operands)
    return Operation(
        names=(left.strip().removeprefix("ROOT ").lstrip("%"),),
        opcode=opcode,
        operands=names,
        type=right[:type_end],
        rest=operands + rest if opcode in _LITERAL else rest,
        start=number,
        end=number + 1,
        calls=_called(rest),
    )


def _past_type(text: str) -> int:
    """Where the type at the start of `text` ends. A tuple's type is in parentheses and has spaces in it."""
    return _closing(text, 0) + 1 if text.startswith("(") else text.find(" ")


def _closing(text: str, opening: int) -> int:
    """Where the parenthesis at `opening` is closed; those in strings do not count."""
    closing = text.find(")", opening)
    inside = text.find("(", opening + 1, closing)
    if inside < 0 and '"' not in text[opening:closing]:
        return closing
    depth, at = 0, opening
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
    return tuple(name for part in _CALLED.findall(rest) for name in _names(part))


def _names(text: str) -> tuple[str, ...]:
    """JAX prints the HLO that XLA is given without `%`."""
    return tuple((_NAME if "%" in text else _BARE).findall(text))


def _give_frames(program: Program, raw: str) -> None:
    """Instruction by instruction, since those of `raw` are in the same order."""
    stacks = StackFrames(raw)
    rows = (line for line in raw.split("\n") if line.startswith("  ") and " = " in line)
    for operation, row in zip(program.operations(), rows, strict=True):
        if found := _FRAME.search(row):
            operation.frames = stacks[int(found[1])]
