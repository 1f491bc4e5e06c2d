"""Jits that JAX runs as a part of something else: within `jax.checkpoint`, in a backward pass.

They were traced before; what is compiled is what JAX made of that trace. Read from the frame of
`pjit._pjit_call_impl` (private; 0.8.3 to 0.12.0.1).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from jitinspect.jaxapi.calls.eager import frames_of_jax, rules_in
from jitinspect.jaxapi.calls.misses import BOUND_JIT, CurrentWork


class BoundJit(NamedTuple):
    """`program` is equal for what has the same operations, whatever the sizes; `rules` name what JAX made of
    the trace.
    """

    name: str
    definition: str | None
    args: tuple[Any, ...]
    program: tuple[Any, ...]
    rules: tuple[str, ...]
    is_checkpointed: bool
    is_backward: bool


def bound_jit(work: CurrentWork) -> BoundJit | None:
    """The jit, if that is what JAX is at work for."""
    if work.frame.f_code is not BOUND_JIT:
        return None
    variables = work.frame.f_locals
    jaxpr = getattr(variables["jaxpr"], "jaxpr", variables["jaxpr"])
    _, found, definition = str(jaxpr.debug_info.func_src_info).rpartition(" at ")
    chain = [frame.f_code.co_name for frame in frames_of_jax(work.frame)]
    rules = rules_in(chain)
    return BoundJit(
        name=str(variables["name"]),
        definition=definition if found else None,
        args=tuple(variables["args"]),
        program=_program(jaxpr),
        rules=rules,
        is_checkpointed=any("remat" in name for name in chain),
        is_backward=any("transpose" in rule or "backward_pass" in rule for rule in rules),
    )


def _program(jaxpr: Any) -> tuple[Any, ...]:
    operations = tuple(sorted({equation.primitive.name for equation in jaxpr.eqns}))
    return operations, len(jaxpr.invars), len(jaxpr.outvars)
