"""StableHLO text → program. Functions are blocks, and so are regions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from jitinspect.ir.mlir_locations import Locations
from jitinspect.ir.program import Block, Operation, Program

_FUNCTION = re.compile(r"func\.func (?:(public|private|nested) )?@([\w.$\-]+|\"[^\"]*\")\((.*)")
_OPERATION = re.compile(r"((?:%[\w$.\-]+(?::\d+)?(?:, )?)*)(?: = )?\"?([a-zA-Z_][\w.$]*)\"?")
_VALUE = re.compile(r"%[\w$.\-]+")
_CALLED = re.compile(r"@([\w.$\-]+)")
_BOUND = re.compile(r"(%[\w$.\-]+) = (%[\w$.\-]+)")
_LOCATION = re.compile(r" loc\((?:[^()\"\n]|\"(?:[^\"\\\n]|\\.)*\"|\((?:[^()\n]|\([^()\n]*\))*\))*\)")
_REGION = ("cond {", "reducer(")
"""Lines that open a region of the operation above."""


def parse(text: str) -> Program:
    """`text` may include locations: they are removed from it, and the source lines are read from them."""
    located = text.split("\n") if "\n#loc" in text or text.startswith("#loc") else None
    lines = (_LOCATION.sub("", text) if located else text).split("\n")
    if located:
        lines = [line for line in lines if not line.startswith("#loc")]
    reader = _Reader(lines)
    head = next((line for line in lines if line.startswith("module")), "")
    program = Program("stablehlo", lines, reader.blocks(), head)
    if located:
        _give_frames(program, located)
    return program


@dataclass(slots=True)
class _Reader:
    """Reads line by line; `open` are the blocks around the current line, each with its operation."""

    lines: list[str]
    functions: list[Block] = field(default_factory=list)
    open: list[tuple[Block, Operation | None]] = field(default_factory=list)

    def blocks(self) -> list[Block]:
        for number, line in enumerate(self.lines):
            self._read(number, line.strip())
        return self.functions

    def _read(self, number: int, line: str) -> None:
        if line.startswith("func.func"):
            self._begin_function(number, line)
        elif not self.open:
            return
        elif line.startswith("}"):
            self._end_block(number, line)
        elif line.startswith("^"):
            self.open[-1][0].parameters, self.open[-1][0].head = tuple(_VALUE.findall(line)), line
        elif line.startswith(_REGION):
            self._begin_region(number, self.open[-1][0].operations[-1], _VALUE.findall(line))
        elif line:
            self._begin_operation(number, line)

    def _begin_function(self, number: int, line: str) -> None:
        match = _FUNCTION.match(line)
        if match is None or not line.endswith("{"):
            return
        arguments = match[3].partition(") -> ")[0]
        name, is_entry = match[2].strip('"'), match[1] == "public" or match[2] == "main"
        block = Block(name, tuple(_VALUE.findall(arguments)), [], number, number, is_entry, head=line)
        self.open.append((block, None))

    def _begin_operation(self, number: int, line: str) -> None:
        match = _OPERATION.match(line)
        if match is None:
            return
        operation = _operation(match, line, number)
        self.open[-1][0].operations.append(operation)
        if line.endswith("{"):
            self._begin_region(number, operation)

    def _begin_region(self, number: int, operation: Operation, parameters: list[str] | None = None) -> None:
        if operation.opcode == "stablehlo.while":
            bound = [name for name, _ in _BOUND.findall(self.lines[operation.start])]
            parameters = bound
        block = Block(operation.opcode, tuple(parameters or ()), [], number, number)
        operation.inner.append(block)
        self.open.append((block, operation))

    def _end_block(self, number: int, line: str) -> None:
        block, operation = self.open.pop()
        block.end = number + 1
        if operation is None:
            self.functions.append(block)
            return
        operation.end = number + 1
        if line.endswith("{"):
            self._begin_region(number, operation)
        elif " : " in line:
            operation.type = _result_type(line)


def _operation(match: re.Match[str], line: str, number: int) -> Operation:
    """`%7:2 = stablehlo.while(%iterArg = %c) : tensor<i32>`, `return %0 : tensor<f32>`."""
    rest = line[match.end() :]
    opcode = match[2]
    if opcode == "stablehlo.while":
        operands = [value for _, value in _BOUND.findall(rest)]
    else:
        operands = _VALUE.findall(rest) if opcode != "stablehlo.constant" else []
    return Operation(
        names=tuple(_VALUE.findall(match[1])),
        opcode=opcode,
        operands=tuple(operands),
        type=_result_type(rest, single=":" not in match[1]) if match[1] else "",
        rest=rest,
        start=number,
        end=number + 1,
        calls=tuple(_CALLED.findall(rest)) if "call" in opcode or "@" in rest else (),
    )


def _result_type(text: str, single: bool = False) -> str:
    """What comes after the arrow or after the last colon. If there is no arrow, operand types may precede
    that of a `single` result.
    """
    types = text.rpartition(" : ")[2]
    if " -> " in types:
        return types.rpartition(" -> ")[2]
    return types.rpartition(", ")[2] if single else types


def _give_frames(program: Program, located: list[str]) -> None:
    """Line by line: both texts are the same except for `#loc` lines and what is at the ends of lines."""
    locations = Locations(line for line in located if line.startswith("#loc"))
    rows = [line for line in located if not line.startswith("#loc")]
    for operation in program.operations():
        _, found, location = rows[operation.end - 1].rpartition(" loc(")
        if found:
            operation.frames = locations[location[:-1]]
            operation.path = locations.name(location[:-1])
            operation.made_by = operation.path.rpartition("/")[2]
