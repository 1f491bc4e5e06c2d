"""The numbers that an instruction computes on: their type, and how exactly they are multiplied."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jitinspect.ir.shapes import Array, arrays
from jitinspect.readings.cost_model.flops import Instruction
from jitinspect.readings.cost_model.library_calls import is_product

_PRODUCTS = ("dot", "convolution")
_PRECISION = re.compile(r'operand_precision(?:=\{|":\[)([^\]}]*)')
_ALGORITHM = re.compile(r'\balgorithm(?:=|":"ALG_)(dot_\w+)', re.IGNORECASE)
_REAL = {"c64": "f32", "c128": "f64", "pred": "pred"}
_LEVELS = ("default", "high", "highest")


@dataclass(frozen=True, slots=True)
class Numbers:
    """`dtype` is that of the operands; of two, the one with fewer bits; of complex ones, that of their parts.
    `precision` (`default`, `high`, `highest`) and `algorithm` (`dot_bf16_bf16_f32_x3`; empty if none was
    asked for) are those of the HLO; `is_product` is whether it is a matrix product or a convolution.
    """

    dtype: str
    is_product: bool = False
    precision: str = "default"
    algorithm: str = ""


def numbers(instruction: Instruction) -> Numbers | None:
    """None for what has no operands."""
    operation = instruction.operation
    if not instruction.operands:
        return None
    if operation.opcode in _PRODUCTS or is_product(operation):
        factors = [array for type_ in instruction.operands[:2] for array in arrays(type_)[:1]]
        dtype = min(factors, key=_bits).dtype
        return Numbers(_REAL.get(dtype, dtype), True, _precision(operation.rest), _algorithm(operation.rest))
    found = arrays(operation.type) or (instruction.first,)
    dtype = instruction.first.dtype if found[0].dtype == "pred" else found[0].dtype
    return Numbers(_REAL.get(dtype, dtype))


def _bits(array: Array) -> int:
    return Array(array.dtype, (8,)).bytes


def _precision(rest: str) -> str:
    """Of two that differ, the lower."""
    found = _PRECISION.search(rest)
    levels = re.findall(r"\w+", found[1].lower()) if found else []
    known = [level for level in _LEVELS if level in levels]
    return known[0] if known else "default"


def _algorithm(rest: str) -> str:
    found = _ALGORITHM.search(rest)
    return found[1].lower() if found else ""
