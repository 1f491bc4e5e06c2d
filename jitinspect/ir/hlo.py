"""HLO text → program. Each computation is a block, each instruction is a line."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from jitinspect.ir.hlo_stack_frames import StackFrames
from jitinspect.ir.op_names import op_name
from jitinspect.ir.program import Block, Frame, Operation, Program

_HEAD = re.compile(r"(ENTRY )?%?([^\s(]+)(?: \(|\s*\{)")
_NAME = re.compile(r"%([\w.\-]+)")
_BARE = re.compile(r"[\w.\-]+")
CALLING = (
    "calls", "to_apply", "body", "condition", "true_computation", "false_computation",
    "branch_computations", "called_computations", "comparator", "select", "scatter",
)  # fmt: skip
"""The attributes that name other blocks."""
_CALLING_WORDS = tuple(f"{word}=" for word in CALLING)
_CALLED = re.compile(r"(?:" + "|".join(CALLING) + r")=(\{[^}]*\}|%?[\w.\-]+)")
_LOOP_PART = re.compile(r"\b(body|condition)=%?([\w.\-]+)")
_INDEX = re.compile(r"index=(\d+)")
_NUMBER = re.compile(r"\s*(\d+)")
_TRIPS = re.compile(r'"known_trip_count":\{"n":"(\d+)"\}')
_DEVICES = re.compile(r", (?:num_partitions|replica_count)=(\d+)")
_LITERAL = ("constant", "parameter")
"""What is in their parentheses is not an operand."""
_FRAME = re.compile(r"stack_frame_id=(\d+)")
_PARAMETER = re.compile(r"([\w.\-]+): ")


def parse(text: str, raw: str | None = None) -> Program:
    """`text` is readable HLO or JAX's own; source lines come from `raw`, JAX's own text, if it is given.

    Both must be of one module, and so have the same instructions in the same order.
    """
    program = outline(text)
    for block in program.blocks:
        _fill(block, program.lines)
    if raw is not None or "stack_frame_id=" in text:
        _give_frames(program, raw if raw is not None else text)
    return program


def outline(text: str) -> Program:
    """The blocks, with neither parameters nor instructions: what has to be found in a large module quickly is
    added to them.
    """
    lines = text.split("\n")
    head = next((line for line in lines if line.startswith("HloModule")), "")
    return Program("hlo", lines, list(_blocks(lines)), head)


def instruction(line: str, number: int, stacks: StackFrames | None = None) -> Operation | None:
    """That of one line; None if it has none. Its frames come from the `stacks` of JAX's own text."""
    found = _operation(line, number)
    if found is not None and stacks is not None:
        found.frames = frames_of(line, stacks)
    return found


def frames_of(line: str, stacks: StackFrames) -> tuple[Frame, ...]:
    """Those that an instruction's line names, in JAX's own text."""
    found = _FRAME.search(line)
    return stacks[int(found[1])] if found else ()


def called_at(text: str, at: int) -> tuple[str, ...]:
    """The names of the blocks in the attribute, one of `CALLING`, that begins there."""
    found = _CALLED.match(text, at)
    return _names(found[1]) if found else ()


def _block_name(line: str) -> str | None:
    """The name of the block that begins on this line; None if none does."""
    if line.startswith((" ", "HloModule")) or not line.endswith("{"):
        return None
    head = _HEAD.match(line)
    return head[2] if head else None


def trip_count(operation: Operation) -> int | None:
    """How often a `while` runs its body; None if XLA does not know it."""
    found = _TRIPS.search(operation.rest)
    return int(found[1]) if found else None


def loop_parts(loop: Operation) -> dict[str, str]:
    """The names of the blocks that a `while` repeats: its `body` and its `condition`."""
    return dict(_LOOP_PART.findall(loop.rest))


def element_index(element: Operation) -> int:
    """Which element of a tuple a `get-tuple-element` takes."""
    found = _INDEX.search(element.rest)
    return int(found[1]) if found else 0


def parameter_number(parameter: Operation) -> int:
    """Which argument of its block a `parameter` is."""
    found = _NUMBER.match(parameter.rest)
    return int(found[1]) if found else 0


def device_count(program: Program) -> int:
    """How many devices the module runs on together: all partitions of all its replicas."""
    return math.prod(map(int, _DEVICES.findall(program.head)))


def module_name(program: Program) -> str:
    """`jit_f` of `HloModule jit_f, is_scheduled=true`."""
    return program.head.removeprefix("HloModule ").partition(",")[0].strip()


def _blocks(lines: list[str]) -> Iterator[Block]:
    block = None
    for number, line in enumerate(lines):
        if line.startswith(" "):  # most are inside of blocks
            continue
        if block is None:
            if (name := _block_name(line)) is not None:
                block = Block(name, (), [], number, number, is_entry=line.startswith("ENTRY "))
        elif line.startswith("}"):
            block.end = number + 1
            yield block
            block = None


def _fill(block: Block, lines: list[str]) -> None:
    """Adds its parameters and instructions."""
    block.parameters = tuple(_PARAMETER.findall(lines[block.start].rpartition(") -> ")[0]))
    numbers = range(block.start + 1, block.end - 1)
    found = (_operation(lines[number], number) for number in numbers)
    block.operations = [operation for operation in found if operation is not None]


def _operation(line: str, number: int) -> Operation | None:
    """`  ROOT %add.3 = f32[8] add(%a, %b), attribute=…`. For TPUs, jax 0.12 prints an element of a tuple
    as `%a#1`.
    """
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
        arguments=operands if "#" in operands else "",
        rest=operands + rest if opcode in _LITERAL else rest,
        start=number,
        end=number + 1,
        calls=_called(rest) if "%" in rest or "%" not in left else (),
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
    """In the order of the text. A look for the words is much quicker than one for the pattern."""
    found = sorted(at for word in _CALLING_WORDS if (at := rest.find(word)) >= 0)
    return tuple(name for at in found for name in called_at(rest, at))


def _names(text: str) -> tuple[str, ...]:
    """JAX prints the HLO that XLA is given without `%`."""
    return tuple((_NAME if "%" in text else _BARE).findall(text))


def _give_frames(program: Program, raw: str) -> None:
    """Instruction by instruction, since those of `raw` are in the same order."""
    stacks = StackFrames(raw)
    for operation, row in _rows(program, raw):
        if found := _FRAME.search(row):
            operation.frames = stacks[int(found[1])]


def name_instructions(program: Program, raw: str) -> None:
    """Adds `path` to the instructions of a program, which is parsed from `raw`. Most readings need none."""
    for operation, row in _rows(program, raw):
        operation.path = op_name(row)


def _rows(program: Program, raw: str) -> Iterator[tuple[Operation, str]]:
    """Each instruction with its line in JAX's own text."""
    rows = (line for line in raw.split("\n") if line.startswith("  ") and " = " in line)
    return zip(program.operations(), rows, strict=True)
