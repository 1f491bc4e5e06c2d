"""FLOPs and transcendental operations of one instruction, as XLA's `HloCostAnalysis` counts them.

Its rules were found by running it on one instruction at a time (jaxlib 0.10.2 and 0.12.0). It is not followed
where it is wrong: for FFTs, triangular solves, and custom calls, about which it knows nothing.

FLOPs are operations on real numbers. On complex ones an addition takes 2, a multiplication 6, a division 11;
XLA counts 1 for each, and as many for a complex matrix product as for a real one. A function such as the
exponential counts as one transcendental operation, whatever its type.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, log2, prod

from jitinspect.ir.program import Operation
from jitinspect.ir.shapes import Array, arrays, elements
from jitinspect.readings.cost_model import lapack, library_calls, windows
from jitinspect.readings.cost_model.work import NONE, Work, total_work

_TRANSCENDENTAL = frozenset({
    "acos", "acosh", "asin", "asinh", "atan2", "atanh", "cbrt", "cosh", "cosine", "erf", "exponential",
    "exponential-minus-one", "log", "log-plus-one", "logistic", "power", "rng", "rng-bit-generator",
    "rsqrt", "sine", "sinh", "sqrt", "tan", "tanh",
})  # fmt: skip
_ONE_EACH = frozenset({
    "abs", "add", "all-reduce", "and", "bitcast-convert", "ceil", "clamp", "compare", "complex", "convert",
    "count-leading-zeros", "divide", "floor", "imag", "is-finite", "maximum", "minimum", "multiply",
    "negate", "not", "or", "popcnt", "real", "reduce-precision", "remainder", "round-nearest-afz",
    "round-nearest-even", "select", "shift-left", "shift-right-arithmetic", "shift-right-logical", "sign",
    "stochastic-convert", "subtract", "xor",
})  # fmt: skip
"""One FLOP for each element of the result, even if it is an integer or a predicate."""
_OF_COMPLEX = {"add": 2, "subtract": 2, "negate": 2, "abs": 3, "multiply": 6, "divide": 11}
"""FLOPs for each element if the operands are complex; a magnitude also takes a square root."""
_PRODUCTS = ("dot", "convolution", "cholesky", "triangular-solve")
_COMPLEX_PRODUCT = 4
"""How many times as many FLOPs complex products and their sum take: four multiplications and additions."""
_CONTRACTED = re.compile(r"lhs_contracting_dims=\{([\d,]*)\}")
_MARKS = ("Sharding", "SPMDFullToShardShape", "SPMDShardToFullShape", "annotate_device_placement")
"""Custom calls that compute nothing."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """An operation with the types of its operands, and the cost of applying each of its computations (a
    reducer, a comparator) once.
    """

    operation: Operation
    operands: tuple[str, ...]
    applied: tuple[Work, ...] = ()

    @property
    def first(self) -> Array:
        """The first operand; if it is a tuple, its first element."""
        return arrays(self.operands[0])[0]

    @property
    def is_complex(self) -> bool:
        """Whether its first operand is."""
        return self.first.dtype in ("c64", "c128")

    @property
    def factor(self) -> int:
        """How many times as many FLOPs its products take as real ones."""
        return _COMPLEX_PRODUCT if self.is_complex else 1

    @property
    def result(self) -> Array:
        """The result; if it is a tuple, its first element."""
        return arrays(self.operation.type)[0]


def arithmetic(instruction: Instruction) -> Work | None:
    """Its FLOPs and transcendental operations; None for an unknown custom call."""
    opcode = instruction.operation.opcode
    if opcode in _OF_COMPLEX and instruction.is_complex:
        count = elements(instruction.operation.type)
        return Work(_OF_COMPLEX[opcode] * count, count if opcode == "abs" else 0)
    if opcode in _ONE_EACH:
        return Work(flops=elements(instruction.operation.type))
    if opcode in _TRANSCENDENTAL:
        return Work(transcendentals=elements(instruction.operation.type))
    if opcode == "custom-call":
        flops = _custom_call(instruction)
        return None if flops is None else Work(flops)
    return _MODELS[opcode](instruction) if opcode in _MODELS else NONE


def is_complex_arithmetic(instruction: Instruction) -> bool:
    """Whether it counts more FLOPs than on real numbers."""
    opcode = instruction.operation.opcode
    return bool(instruction.operands) and instruction.is_complex and opcode in (*_OF_COMPLEX, *_PRODUCTS)


def _dot(one: Instruction) -> Work:
    found = _CONTRACTED.search(one.operation.rest)
    dims = [int(dim) for dim in found[1].split(",") if dim] if found else []
    return Work(2 * one.factor * one.result.elements * prod(one.first.dims[dim] for dim in dims))


def _convolution(one: Instruction) -> Work:
    lhs, rhs = (arrays(type_)[0].dims for type_ in one.operands[:2])
    return Work(2 * one.factor * windows.products(one.operation.rest, lhs, rhs, one.result.dims))


def _reduce(one: Instruction) -> Work:
    return one.applied[0] * (one.first.elements - one.result.elements)


def _reduce_window(one: Instruction) -> Work:
    return one.applied[0] * (one.result.elements * (_window(one) - 1))


def _select_and_scatter(one: Instruction) -> Work:
    """In each window an element is selected, and a source element is scattered to its place."""
    sources = elements(one.operands[1])
    select, scatter = one.applied
    return total_work([select * (sources * (_window(one) - 1)), scatter * sources])


def _window(one: Instruction) -> int:
    return prod(axis.size for axis in windows.axes(one.operation.rest))


def _scatter(one: Instruction) -> Work:
    """Its operands are arrays, indices, and as many updates as arrays."""
    return one.applied[0] * elements(one.operands[-1])


def _map(one: Instruction) -> Work:
    return one.applied[0] * one.result.elements


def _sort(one: Instruction) -> Work:
    """n ⌈log2 n⌉ comparisons, whatever the comparator; n counts all elements, whichever axis is sorted."""
    count = one.first.elements
    return Work(count * _log2(count))


def _fft(one: Instruction) -> Work:
    """5 n log2 n, half of that if one side is real. XLA counts 8 n times the product of ⌊log2⌋ of the
    lengths: more, and for several axes far more.
    """
    lengths = re.search(r"fft_length=\{([\d,]*)\}", one.operation.rest)
    points = prod(int(length) for length in lengths[1].split(",") if length) if lengths else 1
    sides = one.first, one.result
    batches = max(side.elements for side in sides) // max(points, 1)
    flops = batches * 5 * points * log2(max(points, 1))
    return Work(round(flops if all(side.dtype[0] == "c" for side in sides) else flops / 2))


def _cholesky(one: Instruction) -> Work:
    """n³ / 3 for each matrix."""
    return Work(one.factor * one.first.elements * one.first.dims[-1] // 3)


def _triangular_solve(one: Instruction) -> Work:
    """n² for each right-hand side, as in LAPACK; XLA counts twice that."""
    return Work(one.factor * elements(one.operands[1]) * one.first.dims[-1])


def _custom_call(one: Instruction) -> int | None:
    target = library_calls.target(one.operation)
    if target in ("TopK", "__gpu$TopK"):
        return one.first.elements * _log2(one.result.dims[-1])
    if target in _MARKS:
        return 0
    operands = [array for type_ in one.operands for array in arrays(type_)]
    known = lapack.flops(target, one.operation.rest, operands)
    return library_calls.flops(one.operation, operands) if known is None else known


def _log2(number: int) -> int:
    """⌈log2⌉; 0 for 1 and less."""
    return ceil(log2(number)) if number > 1 else 0


_MODELS: dict[str, Callable[[Instruction], Work]] = {
    "dot": _dot,
    "convolution": _convolution,
    "reduce": _reduce,
    "reduce-window": _reduce_window,
    "select-and-scatter": _select_and_scatter,
    "scatter": _scatter,
    "map": _map,
    "sort": _sort,
    "fft": _fft,
    "cholesky": _cholesky,
    "triangular-solve": _triangular_solve,
}
