"""The arrays that a function closed over: those that JAX found while tracing, and where they are used.

By default they are the constants of a jaxpr, that of the function or one within it; with
`jax_use_simplified_jaxpr_constants` they are operands, as literals. A NumPy array is kept as what JAX
makes of it (`TypedNdArray`): its `val` is the same memory, or a copy if the dtype differs.
Seen on jax 0.8.3 to 0.12.0.1.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax._src.source_info_util import summarize

from jitinspect.jaxapi.calls.events import owner_of
from jitinspect.process.paths import is_installed

_FRAME = re.compile(r"(.*?:\d+)(?::\d+)? \(")
MUTABLE: Any = getattr(jax, "Ref", ())
_DEEPEST = 200
"""How many frames are searched for one of the program."""


@dataclass(slots=True)
class Captured:
    """One array. `line` is the user's line of the first equation that uses it, `uses` how many do."""

    value: Any
    line: str | None = None
    uses: int = 0

    @property
    def aval(self) -> Any:
        """Its type; for a mutable array, the type of its contents."""
        aval = jax.typeof(self.value)
        return getattr(aval, "inner_aval", aval)


def captured(traced: jax.stages.Traced) -> list[Captured]:
    """Each array once, in the order in which JAX has them."""
    walk = _Walk()
    walk.jaxpr(traced.jaxpr, {}, None)
    return list(walk.found.values())


def identity(value: Any) -> Hashable:
    """Equal for the same array: the same object, or for NumPy the same memory."""
    value = getattr(value, "val", value)
    if isinstance(value, np.ndarray):
        return value.__array_interface__["data"][0], value.shape, value.strides, value.dtype
    return id(value)


def is_held_as(value: Any, held: Any) -> bool:
    """Whether `held` is the array that was captured as `value`, or that JAX converted to it."""
    if identity(held) == identity(value):
        return True
    if not isinstance(held, np.ndarray) or not hasattr(value, "val") or held.shape != value.shape:
        return False
    converted = held.dtype != value.dtype and jax.dtypes.canonicalize_dtype(held.dtype) == value.dtype
    return converted and np.array_equal(held.astype(value.dtype), value.val)


def is_array(value: Any) -> bool:
    """False for what JAX itself inserts as a number: a NumPy or Python scalar."""
    return isinstance(value, jax.Array) or bool(getattr(value, "shape", ()))


def can_be_captured(value: Any) -> bool:
    """Whether it is itself an array, and not something that just has a shape, as flax's variables do."""
    return isinstance(value, (jax.Array, np.ndarray, MUTABLE))


class _Walk:
    """Walks the equations in order; variables are identified by their ids."""

    def __init__(self) -> None:
        self.found: dict[Hashable, Captured] = {}

    def jaxpr(self, jaxpr: Any, held: Mapping[int, Captured], line: str | None) -> None:
        """`held` are the outer variables that stand for a captured array."""
        inner = getattr(jaxpr, "jaxpr", jaxpr)
        consts = zip(inner.constvars, getattr(jaxpr, "consts", ()), strict=False)
        held = {**held, **{id(var): self._captured(value) for var, value in consts if is_array(value)}}
        for equation in inner.eqns:
            self._equation(equation, held, line_of(equation) or line)
        for out in inner.outvars:
            self._operand(out, held)

    def _equation(self, equation: Any, held: Mapping[int, Captured], line: str | None) -> None:
        operands = [self._operand(array, held) for array in equation.invars]
        passed_on = False
        for jaxpr, inner_operands in _inner(equation, operands):
            passed_on = passed_on or inner_operands is not None
            variables = getattr(jaxpr, "jaxpr", jaxpr).invars
            passed = zip(variables, inner_operands or (), strict=False)
            self.jaxpr(jaxpr, {id(var): array for var, array in passed if array is not None}, line)
        for array in (
            () if passed_on else {id(array): array for array in operands if array is not None}.values()
        ):
            array.uses += 1
            array.line = array.line or line

    def _operand(self, operand: Any, held: Mapping[int, Captured]) -> Captured | None:
        if is_array(getattr(operand, "val", None)):
            return self._captured(operand.val)
        return held.get(id(operand))

    def _captured(self, value: Any) -> Captured:
        return self.found.setdefault(identity(value), Captured(value))


Operands = Sequence[Captured | None]


def _inner(equation: Any, operands: Operands) -> Iterator[tuple[Any, Operands | None]]:
    """Each jaxpr among an equation's parameters, and what its variables stand for, if known."""
    params = equation.params
    for name, value in params.items():
        for jaxpr in value if isinstance(value, tuple | list) else (value,):
            if hasattr(jaxpr, "eqns"):
                yield jaxpr, _inner_operands(name, jaxpr, operands, params)


def _inner_operands(name: str, jaxpr: Any, operands: Operands, params: Mapping[str, Any]) -> Operands | None:
    """A `while` has constants for its condition and its body; a `cond` has an index before the operands."""
    if "cond_nconsts" in params and "body_nconsts" in params:
        first, last = params["cond_nconsts"], params["cond_nconsts"] + params["body_nconsts"]
        own = operands[:first] if name == "cond_jaxpr" else operands[first:last]
        operands = [*own, *operands[last:]]
    elif name == "branches":
        operands = operands[1:]
    count = len(getattr(jaxpr, "jaxpr", jaxpr).invars)
    return operands if len(operands) == count else None


def line_of(equation: Any) -> str | None:
    """`file:line` of the user's code that led to an equation: of the program, or else of a library."""
    frames = reversed(summarize(equation.source_info, num_frames=_DEEPEST).split("\n"))
    places = [match[1] for match in map(_FRAME.match, frames) if match]
    users = [place for place in places if owner_of(_file(place)) == "user"]
    in_program = (place for place in users if not is_installed(_file(place)))
    return next(in_program, None) or next(iter(users), None)


def _file(place: str) -> str:
    return place.rpartition(":")[0]
