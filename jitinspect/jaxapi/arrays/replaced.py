"""A trace whose captured array is another one: what changes in its module is what that array became.

Up to jax 0.10 a jaxpr's constants are kept by the `ClosedJaxpr` around it, later by the jaxpr. Seen on jax
0.8.3 to 0.12.0.1.
"""

from __future__ import annotations

import copy
from typing import Any

import jax
import numpy as np

from jitinspect.jaxapi.arrays.captured import identity


def replaced(traced: jax.stages.Traced, value: Any, other: Any) -> jax.stages.Traced:
    """A copy of `traced`, which captured `other` where that captured `value`; nothing is traced again."""
    copied: Any = copy.copy(traced)
    params = copied._params
    copied._params = {**params, "jaxpr": _Replacement(value, other).within(params["jaxpr"])}
    copied._lojax = None  # made from the others
    made: jax.stages.Traced = copied
    return made


def another(value: Any) -> Any:
    """An array of the same type with other elements, none of which is equal."""
    data = jax.random.key_data(value) if jax.numpy.issubdtype(value.dtype, jax.dtypes.extended) else value
    zeros = np.zeros_like(np.asarray(data))
    made = zeros if np.all(np.asarray(data)) else np.where(np.asarray(data), zeros, np.ones_like(zeros))
    return (
        made
        if data is value
        else jax.random.wrap_key_data(jax.numpy.asarray(made), impl=jax.random.key_impl(value))
    )


class _Replacement:
    """Puts `other` in the place of one captured array. A jaxpr that several equations share stays shared, so
    that it is lowered as one function.
    """

    def __init__(self, value: Any, other: Any) -> None:
        self._key = identity(value)
        self._other = other
        self._made: dict[int, Any] = {}

    def within(self, obj: Any) -> Any:
        """A jaxpr, or several, as an equation's parameter holds them; anything else stays."""
        if isinstance(obj, tuple | list) and any(hasattr(one, "eqns") for one in obj):
            return type(obj)(map(self.within, obj))
        if not hasattr(obj, "eqns"):
            return obj
        if id(obj) not in self._made:
            self._made[id(obj)] = self._jaxpr(obj)
        return self._made[id(obj)]

    def _jaxpr(self, jaxpr: Any) -> Any:
        inner = getattr(jaxpr, "jaxpr", jaxpr)
        equations = [self._equation(equation) for equation in inner.eqns]
        consts = [self._other if identity(one) == self._key else one for one in getattr(jaxpr, "consts", ())]
        if inner is jaxpr:
            return jaxpr.replace(eqns=equations, **({"consts": consts} if consts else {}))
        return jaxpr.replace(jaxpr=inner.replace(eqns=equations), consts=consts)

    def _equation(self, equation: Any) -> Any:
        return equation.replace(params={name: self.within(one) for name, one in equation.params.items()})
