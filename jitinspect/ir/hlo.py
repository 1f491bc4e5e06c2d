"""HLO text → program. Each computation is a block, each instruction is a line."""

from __future__ import annotations

import math
import re

from jitinspect.ir import readable_hlo
from jitinspect.ir.hlo_computations import read
from jitinspect.ir.hlo_spans import blocks
from jitinspect.ir.hlo_stack_frames import StackFrames
from jitinspect.ir.op_names import op_name
from jitinspect.ir.program import Operation, Program

_LOOP_PART = re.compile(r"\b(body|condition)=%?([\w.\-]+)")
_INDEX = re.compile(r"index=(\d+)")
_NUMBER = re.compile(r"\s*(\d+)")
_TRIPS = re.compile(r'"known_trip_count":\{"n":"(\d+)"\}')
_DEVICES = re.compile(r", (?:num_partitions|replica_count)=(\d+)")
_MODULE = re.compile(r"^HloModule.*", re.MULTILINE)


def parse(text: str) -> Program:
    """Of a text as it is: JAX's own, with the tables that tell source lines, or a readable one."""
    return Program("hlo", text.split("\n"), read(text, _stacks(text)), head(text))


def readable(raw: str) -> Program:
    """Of the readable form of `raw`, JAX's own text, with the source lines that `raw` tells. Its lines are
    made where they are asked for: to read what is in them, that form need not be written.
    """
    stacks = _stacks(raw)
    kept = readable_hlo.without_op_names(readable_hlo.without_tables(raw)).rstrip("\n") + "\n"
    found = read(kept, stacks, readable_hlo.readable_part)
    return Program("hlo", readable_hlo.Lines(kept), found, readable_hlo.readable_part(head(kept)))


def outline(text: str) -> Program:
    """The blocks, with neither parameters nor instructions: what has to be found in a large module quickly is
    added to them.
    """
    return Program("hlo", text.split("\n"), list(blocks(text)), head(text))


def _stacks(text: str) -> StackFrames | None:
    return StackFrames(text) if "stack_frame_id=" in text else None


def head(text: str) -> str:
    """The line that describes the module; "" if there is none."""
    found = _MODULE.search(text)
    return found[0] if found else ""


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


def name_instructions(program: Program, raw: str) -> None:
    """Adds `path` to the instructions of a program, which is parsed from `raw`. Most readings need none."""
    rows = (line for line in raw.split("\n") if line.startswith("  ") and " = " in line)
    for operation, row in zip(program.operations(), rows, strict=True):
        operation.path = op_name(row)
