"""The shapes of the values that a program makes, before any of them is divided among devices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jax

from jitinspect.jaxapi.source_lines.jaxpr_lines import inner_jaxprs

Shapes = Mapping[str, frozenset[tuple[int, ...]]]
PER_DEVICE = "shard_map"
"""Inside of its jaxpr, shapes are those on one device (jax 0.8.3 to 0.12.0.1)."""


def global_shapes(traced: jax.stages.Traced) -> Shapes:
    """By name of each primitive, the shapes of all that its equations make; none of those inside a
    `PER_DEVICE`.
    """
    found: dict[str, set[tuple[int, ...]]] = {}
    for equation in _equations(traced.jaxpr.jaxpr, set()):
        known = found.setdefault(equation.primitive.name, set())
        for one in equation.outvars:
            if (shape := getattr(one.aval, "shape", None)) is not None:
                known.add(tuple(shape))
    return {name: frozenset(shapes) for name, shapes in found.items()}


def _equations(jaxpr: Any, seen: set[int]) -> Iterator[Any]:
    """Those of each jaxpr once."""
    if id(jaxpr) in seen:
        return
    seen.add(id(jaxpr))
    for equation in jaxpr.eqns:
        yield equation
        if equation.primitive.name != PER_DEVICE:
            for inner in inner_jaxprs(equation):
                yield from _equations(inner, seen)
