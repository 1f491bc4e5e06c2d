"""Jits within `jax.checkpoint` and in backward passes, as calls to compare, and why they compiled."""

from __future__ import annotations

import inspect
from dataclasses import replace

from jitinspect.jaxapi.calls.bound import BoundJit
from jitinspect.jaxapi.jits.facts import FunctionNumbers, JitFacts
from jitinspect.model import Reason


def facts_of_bound(jit: BoundJit, functions: FunctionNumbers) -> JitFacts:
    """What JAX made of one function in the same way, with the same operations, is of one lineage."""
    lineage = ("bound", jit.name, jit.definition, jit.rules, jit.program)
    return JitFacts(
        name=jit.name,
        definition=jit.definition,
        lineage=lineage,
        function=functions.equal(lineage),
        group=lineage,
        fast=lineage,
        parameters={"args": inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL)},
        static_nums=frozenset(),
        static_names=frozenset(),
        options={},
        closure=(),
        left_out=(),
        wrapper=None,
    )


def bound_reason(reason: Reason, jit: BoundJit) -> Reason:
    """The reason in the words for a jit that is a part of something else."""
    within = " within jax.checkpoint" if jit.is_checkpointed else ""
    if reason.kind == "first_call":
        under = within or ("" if jit.is_backward else " as a part of a transformed function")
        return replace(reason, text=f"first call of {jit.name}{under}")
    if reason.kind == "unknown":
        what = "the backward pass" if jit.is_backward else "what is computed"
        text = f"JAX made {what} of {jit.name} anew{within}, as it does for each new function around it"
        hint = "jit the outside: jax.jit(jax.grad(f)), or whichever transformation it is under"
        return Reason("new_function", jit.name, None, None, hint, text)
    return reason
