"""Where a program says how a value is to lie on the mesh.

XLA keeps little of that: what it inserts to follow a constraint has the line that made the value; if that is
an argument, none (jaxlib 0.12.0.1; often on 0.10.2, too).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
from jax._src.core import Literal

from jitinspect.ir.program import Frame
from jitinspect.jaxapi.executables.shardings import spec_axes
from jitinspect.jaxapi.source_lines.jaxpr_lines import inner_jaxprs, user_frames

PRIMITIVES = ("sharding_constraint", "reshard")
"""Those that say how a value is to lie, the only ones here (0.8.3 to 0.12.0.1)."""
_LOOPS = ("scan", "while")


class Constraint(NamedTuple):
    """A constraint by its frames, and the axes over which the value then lies. `of` are the frames of what
    made the value, those of a loop for what it hands to an iteration; or the number of the argument it is.
    """

    frames: tuple[Frame, ...]
    axes: frozenset[str]
    of: tuple[Frame, ...] | int


def constraints(traced: jax.stages.Traced) -> tuple[Constraint, ...]:
    """Each `sharding_constraint`, whose parameter is `sharding`, and `reshard`, `dst_sharding` (0.8.3 to
    0.12.0.1), also of inner jaxprs: there once for each equation that has the jaxpr.
    """
    jaxpr = traced.jaxpr.jaxpr
    return tuple(_of(jaxpr, {variable: at for at, variable in enumerate(jaxpr.invars)}))


def _of(jaxpr: Any, made: dict[Any, Any]) -> Iterator[Constraint]:
    """`made` has the equation that made a variable, or the number of the argument; this adds to it."""
    for equation in jaxpr.eqns:
        made.update(dict.fromkeys(equation.outvars, equation))
        sharding = equation.params.get("dst_sharding", equation.params.get("sharding"))
        if equation.primitive.name in PRIMITIVES:
            origin = _made(equation.invars[0], made)
            if origin is not None:
                of = origin if isinstance(origin, int) else _frames(origin)
                yield Constraint(_frames(equation), _axes(sharding), of)
        for inner in inner_jaxprs(equation):
            within = _entering(equation, inner, made)
            yield from _of(inner, within)
            if equation.primitive.name not in _LOOPS and len(inner.outvars) == len(equation.outvars):
                found = (_made(variable, within) for variable in inner.outvars)
                made.update(
                    {out: at for out, at in zip(equation.outvars, found, strict=True) if at is not None}
                )


def _entering(equation: Any, inner: Any, made: dict[Any, Any]) -> dict[Any, Any]:
    """What made the variables that an inner jaxpr is given: the equation itself, if they are not its own
    operands, as for the slices that a `scan` takes. The first operand of a `cond` says which branch it takes.
    """
    given = equation.invars[1:] if equation.primitive.name == "cond" else equation.invars
    entering = dict.fromkeys(inner.invars, equation)
    if len(given) != len(inner.invars):
        return entering
    pairs = zip(inner.invars, given, strict=True)
    same = ((variable, _made(outer, made)) for variable, outer in pairs if variable.aval == outer.aval)
    return {**entering, **{variable: at for variable, at in same if at is not None}}


def _made(variable: Any, made: dict[Any, Any]) -> Any:
    """None for a literal, which cannot be looked up, and for a constant."""
    return None if isinstance(variable, Literal) else made.get(variable)


def _frames(equation: Any) -> tuple[Frame, ...]:
    traceback = equation.source_info.traceback
    return tuple(user_frames(traceback)) if traceback is not None else ()


def _axes(sharding: Any) -> frozenset[str]:
    """Those in its `PartitionSpec`; none if it has none."""
    named = isinstance(sharding, jax.sharding.NamedSharding)
    return frozenset(name for axes in (spec_axes(sharding) if named else ()) for name in axes)
