"""Calls of a `jax.pmap`, as calls that can be compared, and why they compiled."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace

from jitinspect.jaxapi.calls.pmap import PmapCall
from jitinspect.jaxapi.jits.facts import FunctionNumbers, JitFacts, facts_of_function
from jitinspect.model import Reason


def facts_of_pmap(call: PmapCall, functions: FunctionNumbers) -> JitFacts:
    """JAX looks the function up by its object, and the options by their values."""
    known = facts_of_function(call.fun)
    lineage, number = ("pmap", known["lineage"]), functions(call.fun)
    options = {name: repr(value) for name, value in call.options.items()}
    return JitFacts(
        name=getattr(call.fun, "__name__", type(call.fun).__name__),
        function=number,
        group=(lineage, number, tuple(options.values())),
        fast=(lineage, number, tuple(options.values())),
        parameters=_parameters(call),
        static_nums=frozenset(call.static_nums),
        static_names=frozenset(),
        options=options,
        **{**known, "lineage": lineage},
    )


def _parameters(call: PmapCall) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(call.fun).parameters
    except (TypeError, ValueError):
        return {}


def pmap_reason(reason: Reason) -> Reason:
    """The reason in the words for a `jax.pmap`."""
    if reason.kind == "new_function":
        text = reason.text.replace("jitted again", "mapped again")
        return replace(reason, text=text, hint="call jax.pmap once, outside of the loop or function")
    if reason.kind == "jit_options":
        text = reason.text.replace("jax.jit(", "jax.pmap(")
        return replace(reason, text=text, hint=f"make one pmap, with one {reason.where}")
    return reason
