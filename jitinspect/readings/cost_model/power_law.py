"""How a quantity grows with the sizes of a sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """Exponent by dimension. `error` is the largest relative error of a point: 0 for an exact power law."""

    exponents: Mapping[str, float]
    error: float


def fit(sizes: Sequence[Mapping[str, int]], values: Sequence[float]) -> PowerLaw | None:
    """The least-squares fit of log q = a + Σ e log d; None if a value is 0 or no size varies.

    A sweep has every combination of its sizes, so that their logs, minus their means, are orthogonal, and
    each exponent can be fitted on its own.
    """
    varied = [name for name in sizes[0] if len({point[name] for point in sizes}) > 1] if sizes else []
    if not varied or min(values) <= 0:
        return None
    logs = _centred([log(value) for value in values])
    columns = {name: _centred([log(point[name]) for point in sizes]) for name in varied}
    exponents = {name: _dot(column, logs) / _dot(column, column) for name, column in columns.items()}
    fitted = (sum(exponents[name] * columns[name][at] for name in varied) for at in range(len(logs)))
    return PowerLaw(exponents, max(exp(abs(was - fit)) - 1 for was, fit in zip(logs, fitted, strict=True)))


def _centred(numbers: Sequence[float]) -> list[float]:
    mean = sum(numbers) / len(numbers)
    return [number - mean for number in numbers]


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))
