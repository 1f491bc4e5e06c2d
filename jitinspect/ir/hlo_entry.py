"""The entry computation of an HLO module's text: what the program takes and gives, and what it is called."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from jitinspect.ir import hlo, hlo_instructions, hlo_sharding, shapes
from jitinspect.ir.hlo_stack_frames import StackFrames
from jitinspect.ir.op_names import op_name
from jitinspect.ir.program import Block, Frame

_MODULE = re.compile(r"HloModule ([^\s,]+)")
_PARAMETER = re.compile(r" parameter\(\d+\)")
_NO_ARRAYS = ("token", "opaque")
_MESH = re.compile(r"mesh\[([^\]]*)\]")
_AXIS = re.compile(r"'([^']*)'=(\d+)")


class EntryArray(NamedTuple):
    """A parameter or a result as it lies on one device: HLO's dtype (`s32`), dimensions. `name` is its path
    in Python (`params['w']`) and `sharding` the text of one, where the module tells.
    """

    dtype: str
    dims: tuple[int, ...]
    name: str | None = None
    sharding: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """`module` is the module's name, `jit_step`; `devices` how many it is divided among."""

    module: str
    parameters: tuple[EntryArray, ...]
    results: tuple[EntryArray, ...]
    devices: int


def entry(text: str) -> Entry:
    """Of JAX's own text, or the readable one. Raises `ValueError` if the text has no whole entry computation,
    or if that takes or gives something that is no array.
    """
    program = hlo.outline(text)
    named = _MODULE.match(program.head)
    block = next((one for one in program.blocks if one.is_entry), None)
    if named is None or block is None:
        raise ValueError("its entry computation is not there, or has no end")
    rows = [(number, program.lines[number]) for number in range(block.start + 1, block.end - 1)]
    made = (hlo_instructions.instruction(line, number) for number, line in rows if _PARAMETER.search(line))
    parameters = sorted(
        (one for one in made if one is not None and one.opcode == "parameter"), key=hlo.parameter_number
    )
    if [hlo.parameter_number(one) for one in parameters] != list(range(len(parameters))):
        raise ValueError("its entry computation lacks a parameter")
    taken = (array for one in parameters for array in _arrays(one.type, one.rest))
    return Entry(named[1], tuple(taken), tuple(_results(program.lines, block)), hlo.device_count(program))


def _results(lines: Sequence[str], block: Block) -> Iterator[EntryArray]:
    root = next(
        (lines[at] for at in range(block.start + 1, block.end) if lines[at].startswith("  ROOT ")), ""
    )
    made = hlo_instructions.instruction(root, 0)
    if made is None:
        raise ValueError("its entry computation has no result")
    yield from _arrays(made.type, "")


def _arrays(type_: str, attributes: str) -> Iterator[EntryArray]:
    """Those of a type. Several, in a tuple, have no names."""
    found = [one for one in shapes.arrays(type_) if one.dtype not in _NO_ARRAYS]
    sharding = hlo_sharding.attribute(attributes)
    each = hlo_sharding.elements(sharding) if sharding else ()
    for at, one in enumerate(found):
        name = op_name(attributes) if len(found) == 1 and not type_.startswith("(") else ""
        yield EntryArray(one.dtype, one.dims, name or None, each[at] if at < len(each) else sharding)


def origin(text: str, module: str) -> Frame | None:
    """The function that the module is named after, at the first of its lines that left an instruction. None
    if the tables of stack frames do not name it.
    """
    wanted = _letters(module.partition("_")[2])
    found = [one for one in StackFrames(text).places() if _letters(_last_name(one.function)) == wanted]
    return min(found, key=lambda frame: frame.line, default=None)


def _last_name(function: str) -> str:
    """`step` of `make.<locals>.step`."""
    return function.rpartition(".")[2]


def _letters(name: str) -> str:
    """JAX writes `jit__lambda` for `<lambda>`."""
    return re.sub(r"\W|_", "", name)


def meshes(text: str) -> list[dict[str, int]]:
    """Axes and sizes of the meshes that the text names, each once: jaxlib 0.12 writes those of the program,
    0.10 calls them `axis_0` and so on.
    """
    named = dict.fromkeys(_MESH.findall(text))
    found = ({name: int(size) for name, size in _AXIS.findall(one)} for one in named)
    return [mesh for mesh in found if mesh]
