"""The equations of a function that depend on none of its arguments: XLA may compute them while it compiles.

XLA folds an instruction of which all operands are constants, with an interpreter that takes microseconds for
each element: 15 for each comparison of a sort (jaxlib 0.10.2, 0.12.0).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jax

from jitinspect.ir.program import Frame
from jitinspect.jaxapi.source_lines.jaxpr_lines import inner_jaxprs, user_frames

_JITS = ("jit", "pjit")
"""An inner jit: "pjit" in jax 0.8."""
_GENERATED = ("broadcast_in_dim", "iota", "reshape", "copy")
"""What XLA does not fold, since it takes less room as it is, or what it folds at once."""


@dataclass(frozen=True, slots=True)
class FoldedEquation:
    """`elements` is how many it reads or makes, whichever is more, `steps` about how many an interpreter
    takes; `frames` are the user's, innermost first, with those of the calls around it.
    """

    primitive: str
    elements: int
    steps: float
    frames: tuple[Frame, ...]


def folded_equations(traced: jax.stages.Traced) -> list[FoldedEquation]:
    """Those with the most steps first. What is inside of loops and branches is not among them: XLA does not
    fold that.

    Seen on 0.8.3 to 0.12.0.1: an equation's `invars`, `outvars`, `primitive`, `params`, `source_info`.
    """
    jaxpr = traced.jaxpr.jaxpr
    found = _folded(jaxpr, {*map(id, jaxpr.invars)}, ())
    return sorted(found, key=lambda one: -one.steps)


def _folded(jaxpr: Any, varying: set[int], around: tuple[Frame, ...]) -> Iterator[FoldedEquation]:
    """`varying` has the ids of the variables that depend on arguments; those of the equations are added."""
    for equation in jaxpr.eqns:
        frames = (*user_frames(equation.source_info.traceback), *around)
        depends = [id(operand) in varying for operand in equation.invars]
        called = _called(equation)
        if called is not None:
            inner = {id(one) for one, is_varying in zip(called.invars, depends, strict=True) if is_varying}
            yield from _folded(called, inner, frames)
            results = zip(equation.outvars, called.outvars, strict=True)
            varying.update(id(outer) for outer, one in results if id(one) in inner)
        elif any(depends) or equation.effects or any(inner_jaxprs(equation)):
            varying.update(map(id, equation.outvars))
        elif equation.primitive.name not in _GENERATED:
            yield _equation(equation, frames)


def _called(equation: Any) -> Any:
    """The jaxpr of an inner jit; None for anything else."""
    found = next(inner_jaxprs(equation), None) if equation.primitive.name in _JITS else None
    return found if len(getattr(found, "invars", ())) == len(equation.invars) else None


def _equation(equation: Any, frames: tuple[Frame, ...]) -> FoldedEquation:
    sizes = [math.prod(getattr(one.aval, "shape", ())) for one in (*equation.invars, *equation.outvars)]
    elements = max(sizes)
    comparisons = math.log2(max(elements, 2)) if equation.primitive.name == "sort" else 1
    return FoldedEquation(equation.primitive.name, elements, elements * comparisons, frames)
