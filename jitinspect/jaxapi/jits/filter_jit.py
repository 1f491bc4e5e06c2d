"""An `equinox.filter_jit`, as its user sees it: the function, and a call of that.

All functions of one name share a jit, whose arguments are the arrays and the other leaves of function and
arguments; the others are one static argument, compared by `==`. Private names seen on equinox 0.13.8.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from jitinspect.jaxapi.jits.facts import FunctionNumbers, JitFacts, facts, facts_of_function
from jitinspect.jaxapi.jits.recognition import peeled


def facts_of_filter_jit(wrapper: Any, jit: Any, functions: FunctionNumbers) -> JitFacts:
    """The facts of an `equinox.filter_jit`."""
    inner = facts(jit, functions)
    whole = _function_of(wrapper)
    fun, front, _ = _taken_apart(whole)
    of_function = facts_of_function(whole if isinstance(fun, type) else fun)
    number = functions.equal((inner.function, fun if front else wrapper._static_fun))
    return replace(
        inner,
        function=number,
        group=(number, inner.group),
        fast=(number, inner.fast),
        parameters=_parameters(wrapper, fun, front),
        static_nums=frozenset(),
        static_names=frozenset(),
        **{**of_function, "lineage": ("filter_jit", of_function["lineage"])},
    )


def filter_jit_arguments(
    wrapper: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
    """A call of a `filter_jit` as equinox takes it (0.13.8): each argument by position that can be, after
    those that the function holds itself. Raises TypeError where they do not fit.
    """
    bound = wrapper._signature.bind(*args, **kwargs)
    _, front, keywords = _taken_apart(_function_of(wrapper))
    return (*front, *bound.args), {**keywords, **bound.kwargs}


def _function_of(wrapper: Any) -> Any:
    return getattr(wrapper, "__wrapped__", wrapper)


def _taken_apart(fun: Any) -> tuple[Any, tuple[Any, ...], Mapping[str, Any]]:
    """A function that is a tree, of which equinox traces the arrays: what is called, and the arguments that
    it holds. A module is the first argument of its class; what wraps a function and has no arrays, as
    `equinox.filter_grad` makes them, is a value of its own.
    """
    leaves = jax.tree_util.tree_leaves(fun)
    if len(leaves) == 1 and leaves[0] is fun:
        return fun, (), {}
    if type(fun).__name__ in ("BoundMethod", "Partial") and (step := peeled(fun)) is not None:
        inner, front, keywords = _taken_apart(step[0])
        return inner, (*front, *step[1]), {**keywords, **step[2]}
    if hasattr(fun, "__wrapped__") and not any(isinstance(leaf, jax.Array | np.ndarray) for leaf in leaves):
        return fun, (), {}
    return type(fun), (fun,), {}


def _parameters(wrapper: Any, fun: Any, front: tuple[Any, ...]) -> Mapping[str, inspect.Parameter]:
    if not front:
        return dict(wrapper._signature.parameters)
    if not isinstance(fun, type):
        return dict(inspect.signature(fun).parameters)
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    return {"self": own, **wrapper._signature.parameters}
