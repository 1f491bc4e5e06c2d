"""An `equinox.filter_jit` as its user sees it: the function, and a call of it.

All functions of the same name share a jit. Its arguments are the arrays among the leaves of function and
arguments; all other leaves are one static argument, compared by `==`. Private names seen on equinox 0.13.8.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from jitinspect.jaxapi.jits.facts import FunctionNumbers, JitFacts, facts, facts_of_function
from jitinspect.jaxapi.jits.recognition import unwrap_once


def facts_of_filter_jit(wrapper: Any, jit: Any, functions: FunctionNumbers, made_after: int = 0) -> JitFacts:
    """The facts of an `equinox.filter_jit`; `jit` was made after so many clearings of all caches."""
    inner = facts(jit, functions, made_after)
    function = _function_of(wrapper)
    fun, bound_args, _ = _split_function(function)
    of_function = facts_of_function(function if isinstance(fun, type) else fun)
    number = functions.equal((inner.function, fun if bound_args else wrapper._static_fun))
    return replace(
        inner,
        function=number,
        group=(number, inner.group),
        fast=(number, inner.fast),
        parameters=_parameters(wrapper, fun, bound_args),
        static_nums=frozenset(),
        static_names=frozenset(),
        **{**of_function, "lineage": ("filter_jit", of_function["lineage"])},
    )


def filter_jit_arguments(
    wrapper: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
    """A call of a `filter_jit` as equinox makes it (0.13.8): arguments by position where possible, after
    those that the function itself holds. Raises TypeError if they do not fit.
    """
    bound = wrapper._signature.bind(*args, **kwargs)
    _, bound_args, keywords = _split_function(_function_of(wrapper))
    return (*bound_args, *bound.args), {**keywords, **bound.kwargs}


def _function_of(wrapper: Any) -> Any:
    return getattr(wrapper, "__wrapped__", wrapper)


def _split_function(fun: Any) -> tuple[Any, tuple[Any, ...], Mapping[str, Any]]:
    """A function that is a tree, whose arrays equinox traces: the function that is called, and the arguments
    that the tree holds. A module is the first argument of its class; a wrapper without arrays, such as
    `equinox.filter_grad` makes, is taken as a plain function.
    """
    leaves = jax.tree_util.tree_leaves(fun)
    if len(leaves) == 1 and leaves[0] is fun:
        return fun, (), {}
    if type(fun).__name__ in ("BoundMethod", "Partial") and (step := unwrap_once(fun)) is not None:
        inner, bound_args, keywords = _split_function(step[0])
        return inner, (*bound_args, *step[1]), {**keywords, **step[2]}
    if hasattr(fun, "__wrapped__") and not any(isinstance(leaf, jax.Array | np.ndarray) for leaf in leaves):
        return fun, (), {}
    return type(fun), (fun,), {}


def _parameters(wrapper: Any, fun: Any, bound_args: tuple[Any, ...]) -> Mapping[str, inspect.Parameter]:
    if not bound_args:
        return dict(wrapper._signature.parameters)
    if not isinstance(fun, type):
        return dict(inspect.signature(fun).parameters)
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    return {"self": own, **wrapper._signature.parameters}
