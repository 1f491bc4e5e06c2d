"""FLOPs of the LAPACK routines that jaxlib calls on CPUs (`lapack_spotrf_ffi`, …; 0.10.2 and 0.12.0).

The leading terms of LAPACK Working Note 41 for factorizations and their uses; for iterative routines the
usual estimates of Golub and Van Loan, Matrix Computations: 9 n³ or 4/3 n³ for symmetric eigenvalues with or
without vectors, 25 n³ or 10 n³ for others, 14 m n² + 8 n³ or 4 m n² - 4/3 n³ for singular values. Complex
numbers take four times as many.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from math import prod

from jitinspect.ir.shapes import Array

_TARGET = re.compile(r"^lapack_([sdcz])(\w+?)_ffi$")
_MODE = re.compile(r"\b(?:mode|compute_left|compute_right) = (\d+) : ui8")
_NO_VECTORS = {str(ord("N"))}


def flops(target: str, rest: str, operands: Sequence[Array]) -> int | None:
    """None for a target that is not such a routine. The last two dimensions are those of a matrix."""
    found = _TARGET.match(target)
    letter, routine = found.groups() if found else ("", "")
    vectors = bool(set(_MODE.findall(rest)) - _NO_VECTORS)
    return routine_flops(routine, operands, vectors, 4 if letter in ("c", "z") else 1)


def routine_flops(routine: str, operands: Sequence[Array], vectors: bool, factor: int) -> int | None:
    """Of a routine named without the letter of its type; `vectors` is whether it computes eigenvectors or
    singular vectors, if they are asked for; `factor` is 4 for complex numbers.
    """
    if routine not in _MODELS:
        return None
    batch = prod(operands[0].dims[: -1 if routine == "gtsv" else -2])
    return batch * round(_MODELS[routine](operands, vectors)) * factor


def _square(operands: Sequence[Array]) -> int:
    return operands[0].dims[-1]


def _factored(operands: Sequence[Array]) -> tuple[int, int]:
    """The longer and the shorter side."""
    sides = operands[0].dims[-2:]
    return max(sides), min(sides)


def _lu(operands: Sequence[Array], vectors: bool) -> float:
    """m n k - (m + n) k² / 2 + k³ / 3 multiply-adds; k is the shorter side."""
    m, k = _factored(operands)
    return 2 * (m * k * k - (m + k) * k * k / 2 + k**3 / 3)


def _qr(operands: Sequence[Array], vectors: bool) -> float:
    m, k = _factored(operands)
    return 2 * k * k * (m - k / 3)


def _q(operands: Sequence[Array], vectors: bool) -> float:
    """The m × n matrix Q, from as many reflectors as the second operand has factors."""
    (m, n), k = operands[0].dims[-2:], operands[1].dims[-1]
    return 4 * m * n * k - 2 * (m + n) * k * k + 4 * k**3 / 3


def _q_times(operands: Sequence[Array], vectors: bool) -> float:
    """Reflectors (first operand) times a matrix (third): from the left, or from the right."""
    (m, n), length, k = operands[2].dims[-2:], operands[0].dims[-2], operands[1].dims[-1]
    return 2 * (n if length == m else m) * k * (2 * length - k)


def _triangular(operands: Sequence[Array], vectors: bool) -> float:
    """n² for each right-hand side, whether it is applied from the left or from the right."""
    m, n = operands[1].dims[-2:]
    return m * n * _square(operands)


def _svd(operands: Sequence[Array], vectors: bool) -> float:
    m, n = _factored(operands)
    return 14 * m * n * n + 8 * n**3 if vectors else 4 * m * n * n - 4 * n**3 / 3


def _tridiagonal(operands: Sequence[Array], vectors: bool) -> float:
    """Elimination: three operations per row, and five for each right-hand side."""
    return operands[0].dims[-1] * (3 + 5 * operands[3].dims[-1])


def _cubic(with_vectors: float, without: float) -> Model:
    def model(operands: Sequence[Array], vectors: bool) -> float:
        return (with_vectors if vectors else without) * _square(operands) ** 3

    return model


Model = Callable[[Sequence[Array], bool], float]
"""The operands, and whether vectors (eigenvectors, singular vectors) are computed → FLOPs for one matrix."""
_MODELS: dict[str, Model] = {
    "potrf": _cubic(1 / 3, 1 / 3),
    "getrf": _lu,
    "geqrf": _qr,
    "geqp3": _qr,
    **dict.fromkeys(("orgqr", "ungqr"), _q),
    **dict.fromkeys(("ormqr", "unmqr"), _q_times),
    "trsm": _triangular,
    "gtsv": _tridiagonal,
    "gehrd": _cubic(10 / 3, 10 / 3),
    **dict.fromkeys(("sytrd", "hetrd"), _cubic(4 / 3, 4 / 3)),
    **dict.fromkeys(("syevd", "heevd"), _cubic(9, 4 / 3)),
    **dict.fromkeys(("gesdd", "gesvd"), _svd),
    **dict.fromkeys(("geev", "gees"), _cubic(25, 10)),
}
