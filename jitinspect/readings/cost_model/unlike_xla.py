"""What a program has in it that is counted otherwise than by XLA's own analysis, apart from loops."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from jitinspect.ir.program import Block
from jitinspect.readings.cost_model.flops import Instruction, is_complex_arithmetic

_FLOPS = {"custom-call": "custom calls", "fft": "FFTs", "triangular-solve": "triangular solves"}
_BYTES = {
    "custom-call": "custom calls", "gather": "gathers", "scatter": "scatters",
    "slice of a view": "slices of reshaped arrays", "tuple": "pointers of tuples",
}  # fmt: skip
_SLICES = ("slice", "dynamic-slice")


@dataclass(frozen=True, slots=True)
class UnlikeXla:
    """What there is of each kind, in the plural: `custom calls`, `gathers`."""

    flops: tuple[str, ...]
    bytes: tuple[str, ...]


def unlike_xla(blocks: Iterable[Block]) -> UnlikeXla:
    """Of the computations that run, or are fused."""
    flops, bytes_ = set[str](), set[str]()
    for block in blocks:
        opcodes = {one.opcode for one in block.operations} | {*_slices_of_views(block)}
        flops |= {_FLOPS[opcode] for opcode in opcodes & _FLOPS.keys()}
        bytes_ |= {_BYTES[opcode] for opcode in opcodes & _BYTES.keys()}
        if any(map(is_complex_arithmetic, _instructions(block))):
            flops.add("complex numbers")
    return UnlikeXla(
        _in_order(flops, (*_FLOPS.values(), "complex numbers")), _in_order(bytes_, _BYTES.values())
    )


def _slices_of_views(block: Block) -> Iterator[str]:
    views = {one.names[0] for one in block.operations if one.opcode == "bitcast"}
    if any(one.opcode in _SLICES and one.operands[0] in views for one in block.operations):
        yield "slice of a view"


def _instructions(block: Block) -> Iterator[Instruction]:
    """Those with operands."""
    types = {one.names[0]: one.type for one in block.operations}
    for one in block.operations:
        if operands := tuple(types[name] for name in one.operands if name in types):
            yield Instruction(one, operands)


def _in_order(found: set[str], order: Iterable[str]) -> tuple[str, ...]:
    return tuple(one for one in order if one in found)
