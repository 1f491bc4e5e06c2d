"""FLOPs of custom calls that XLA makes for CUDA and TPUs, from their shapes.

Their names and operands are those of jax-cuda12-plugin 0.10.2, jax-cuda13-plugin 0.12.0.1, libtpu 0.0.42.1
and 0.0.50.1. What such a call fuses with its product, such as a bias, is not counted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import prod

from jitinspect.ir.program import Operation
from jitinspect.ir.shapes import Array, arrays, parts
from jitinspect.readings.cost_model import lapack, windows

_TARGET = re.compile(r'custom_call_target="([^"]*)"')
_CONTRACTED = re.compile(r'"lhs_contracting_dimensions":\[([^\]]*)\]')
_GEMM = re.compile(r"^__cublas\$(?:gemm|lt\$matmul(?:\$f8)?)$")
_CONVOLUTION = re.compile(r"^__cudnn\$conv(Forward|BiasActivationForward|BackwardInput|BackwardFilter)\w*$")
_SOLVER = re.compile(r"^(?:cusolver|cublas)_(\w+?)(?:_batched)?_ffi$")
_LIKE_LAPACK = {
    "Cholesky": "potrf",
    "QrDecompositionBlock": "geqrf",
    "LuDecompositionBlock": "getrf",
    "LuRealDecompositionBlock": "getrf",
}
"""A TPU's own calls."""
_ROUTINES = {"gesvdj": "gesvd", "gesvdp": "gesvd", "syevj": "syevd"}
"""Other algorithms for the same, as one of LAPACK's."""
_NO_ARITHMETIC = frozenset({
    "AssumeGatherIndicesInBound", "ConcatBitcast", "GatherScatterIndicesBitpacked", "X64Combine",
    "X64SplitHigh", "X64SplitLow", "AllocateBuffer", "cu_lu_pivots_to_permutation",
})  # fmt: skip
_COMPLEX = ("c64", "c128")


def target(operation: Operation) -> str:
    found = _TARGET.search(operation.rest)
    return found[1] if found else ""


def is_product(operation: Operation) -> bool:
    """Whether it calls a library for a matrix product or a convolution."""
    if operation.opcode != "custom-call":
        return False
    name = target(operation)
    return bool(_GEMM.match(name) or _CONVOLUTION.match(name))


def flops(operation: Operation, operands: Sequence[Array]) -> int | None:
    """None if unknown."""
    name = target(operation)
    if name in _NO_ARITHMETIC:
        return 0
    if _GEMM.match(name):
        return _gemm(operation, operands)
    if found := _CONVOLUTION.match(name):
        return _convolution(found[1], operation, operands)
    factor = 4 if operands and operands[0].dtype in _COMPLEX else 1
    if name == "__cublas$triangularSolve":
        return factor * operands[1].elements * operands[0].dims[-1]
    if name.startswith("InvertDiagBlocks"):
        return factor * operands[0].elements * operands[0].dims[-1] // 3
    solver = _SOLVER.match(name)
    routine = solver[1] if solver else _LIKE_LAPACK.get(name, "")
    vectors = "compute_uv = false" not in operation.rest
    return lapack.routine_flops(_ROUTINES.get(routine, routine), operands, vectors, factor)


def _result(operation: Operation) -> Array:
    return arrays(parts(operation.type)[0])[0]


def _gemm(operation: Operation, operands: Sequence[Array]) -> int | None:
    found = _CONTRACTED.search(operation.rest)
    if found is None:
        return None
    dims = [operands[0].dims[int(dim)] for dim in re.findall(r"\d+", found[1])]
    factor = 4 if operands[0].dtype in _COMPLEX else 1
    return 2 * factor * _result(operation).elements * prod(dims)


def _convolution(kind: str, operation: Operation, operands: Sequence[Array]) -> int:
    """The dimension labels are those of the forward convolution: input, kernel, output."""
    first, second, result = operands[0].dims, operands[1].dims, _result(operation).dims
    sides = {"BackwardInput": (result, second, first), "BackwardFilter": (first, result, second)}
    return 2 * windows.products(operation.rest, *sides.get(kind, (first, second, result)))
