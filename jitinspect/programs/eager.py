"""Loops, branches and the like outside of a jit, as calls that can be compared, and why they compiled."""

from __future__ import annotations

import inspect
from dataclasses import replace

from jitinspect.jaxapi.calls.eager import EagerCall
from jitinspect.jaxapi.jits.facts import FunctionNumbers, JitFacts, facts_of_function
from jitinspect.model import Reason

_ARGUMENTS = {"args": inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL)}
_OUTSIDE = "jit the function around it"


def facts_of_eager(call: EagerCall, at: str | None, functions: FunctionNumbers) -> JitFacts:
    """Calls of one lineage are of the same loop: of the same functions, forward or backward. Where neither
    the program's functions nor their lines are known, those from the same line are.
    """
    bodies = tuple(body for body in (call.definition, *call.bodies) if body)
    lineage = ("eager", call.name, bodies, call.rules, None if call.definition else at)
    passed = functions.equal(tuple(map(functions, call.functions)))
    known = [facts_of_function(function) for function in call.functions]
    captured = {name: value for one in known for name, value in one["closure"]}
    return JitFacts(
        name=call.name,
        definition=call.definition,
        lineage=lineage,
        function=passed,
        group=lineage,
        fast=lineage,
        parameters=_ARGUMENTS,
        static_nums=frozenset(),
        static_names=frozenset(call.options),
        options={},
        closure=tuple(captured.items()),
        left_out=tuple(path for one in known for path in one["left_out"]),
        wrapper=None,
    )


def eager_reason(reason: Reason, call: EagerCall, known: JitFacts) -> Reason:
    """The reason in the words for what is outside of a jit. It can be avoided if the functions are `known` to
    be as before.
    """
    if reason.kind == "first_call" and call.is_backward:
        return replace(reason, text=f"first backward pass of {call.name}")
    if reason.kind == "new_function":
        one = len(call.functions) == 1
        text = "its function is a new object" if one else "its functions are new objects"
        return replace(reason, where=call.name, hint=_hint(call), text=text)
    if reason.kind == "unknown":
        text = f"JAX makes {_made(call)} anew in each call"
        alike = bool(call.functions) and not known.left_out
        return Reason("new_function", call.name, None, None, _hint(call), text, alike)
    if reason.kind == "closure":
        return replace(reason, hint=f"{_hint(call)}; pass {reason.where} as an argument")
    if reason.kind == "static_value":
        return replace(reason, hint=f"each {reason.where} is a program of its own")
    return reason


def _made(call: EagerCall) -> str:
    if call.is_backward:
        return f"the backward pass of {call.name}"
    return f"the body of {call.entry}" if call.event else "each of its operations"


def _hint(call: EagerCall) -> str:
    if call.rules:
        return "jit the outside: jax.jit(jax.grad(f)), or whichever transformation it is under"
    if call.event is None:
        return "jit the outside: jax.jit(jax.shard_map(…))"
    return f"{_OUTSIDE}: then {call.entry} is compiled once, as a part of it"
