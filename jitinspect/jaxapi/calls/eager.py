"""Loops, branches, callbacks and the like that a program calls outside of a jit.

JAX compiles each of them as an operation of its own, for the functions that it is given. Most are compiled
anew in each call, as JAX makes a new function around the given one (`lax.map`, `cg`), or has no cache
(`shard_map`). Operations without functions (`broadcast_in_dim`) compile once for all: those are JAX's own.
Seen on jax 0.8.3 to 0.12.0.1: `dispatch.xla_primitive_callable`, `shard_map._shard_map_impl`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ContextDecorator
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

import numpy as np

from jitinspect.jaxapi.calls.events import is_internal, owner
from jitinspect.jaxapi.calls.misses import (
    BOUNDARY,
    SHARD_MAP,
    CurrentWork,
    MissedCall,
    is_jax_internal,
)
from jitinspect.jaxapi.calls.pmap import pmap_call
from jitinspect.jaxapi.jits.facts import facts_of_function

_COMBINING = ("scatter", "reduce", "select_and_")
"""Operations that always have a jaxpr: of a function of JAX, it is made once for all."""
_RULES = ("transpose", "backward_pass", "jvp", "linearize", "partial_eval", "batch")
"""Words in the names of the functions of JAX that make a new program from a given one."""
_BOOKKEEPING = ("linear", "num_", "_", "cond_nconsts", "body_nconsts", "name")
"""Parameters of operations that follow from the others, or do not matter."""


@dataclass(frozen=True, slots=True, eq=False)
class EagerCall:
    """A call of such an operation. `event` is its name in JAX's events; None if JAX compiles several, of any
    name. `entry` is the function of JAX that the program called (`map`), and `functions` are those that it
    passed; `bodies` are the lines where what JAX traced is defined, the program's first. `rules` name what
    JAX made of it before (`_scan_transpose_fancy`), for a derivative. `options` are the operation's own
    parameters, such as the length of a loop.
    """

    name: str
    event: str | None
    args: tuple[Any, ...]
    bodies: tuple[str, ...]
    functions: tuple[Any, ...]
    rules: tuple[str, ...]
    entry: str
    options: Mapping[str, Any]

    @property
    def definition(self) -> str | None:
        """`file:line` of the function that the program passed, as far as it is known."""
        passed = [facts_of_function(function)["definition"] for function in self.functions]
        own = [line for line in (*self.bodies, *passed) if line and not is_internal(line)]
        return own[0] if own else None

    @property
    def is_backward(self) -> bool:
        """Whether it is a part of a backward pass."""
        return any("transpose" in rule or "backward_pass" in rule for rule in self.rules)


def eager_call(work: CurrentWork) -> EagerCall | None:
    """The call, if that is what JAX is at work for."""
    if work.frame.f_code is SHARD_MAP:
        passed: Any = work.frame.f_locals.get("args", ())
        return _eager_call(None, tuple(passed), (), work.frame, {})
    if work.call is None or work.ahead:
        return None
    if getattr(work.call.jit._fun, "_apply_primitive", False):
        return _of_primitive(work.call, work.frame)
    return _of_jit(work.call, work.frame)


def is_of_program(work: CurrentWork) -> bool | None:
    """Whether the program made that call, and not JAX for itself; None if no call is known."""
    if eager_call(work) is not None:
        return True
    if work.call is None:
        return None
    definition = facts_of_function(work.call.jit._fun)["definition"]
    return pmap_call(work.frame) is not None or not is_jax_internal(work.call, definition)


def _of_primitive(call: MissedCall, frame: FrameType) -> EagerCall | None:
    fun = call.jit._fun
    cells = dict(zip(fun.__code__.co_freevars, fun.__closure__ or (), strict=False))
    held = getattr(cells.get("params"), "cell_contents", None)
    params: dict[str, Any] = held if isinstance(held, dict) else {}
    bodies = [body for value in params.values() for body in _bodies(value)]
    if not bodies:
        return None
    options = {name: value for name, value in params.items() if _is_option(name, value)}
    found = _eager_call(call.jit.__name__, call.args, bodies, frame, options)
    is_jaxs = found.definition is None and found.name.startswith(_COMBINING)
    return None if is_jaxs else found


def _bodies(value: Any) -> Iterator[str]:
    """Where the functions in a parameter of an operation are defined: `file:line`, or "" if JAX does not
    know. There are jaxprs, callbacks (`_FlatCallback`), and what `jax.export` made.
    """
    for one in value if isinstance(value, tuple) else (value,):
        info = getattr(getattr(one, "jaxpr", one), "debug_info", None)
        if info is not None:
            yield str(getattr(info, "func_src_info", "")).rpartition(" at ")[2].replace("<unknown>", "")
        elif (callback := getattr(one, "callback_func", None)) is not None:
            yield facts_of_function(callback)["definition"] or ""
        elif type(one).__name__ == "Exported":
            yield ""


def _is_option(name: str, value: Any) -> bool:
    return not name.startswith(_BOOKKEEPING) and _is_plain(value)


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, bool | int | float | str | enum.Enum | np.dtype)


def _of_jit(call: MissedCall, frame: FrameType) -> EagerCall | None:
    """A jit of JAX, called by JAX, with functions among its static arguments (`odeint`, `jnp.piecewise`)."""
    fun, info = call.jit._fun, call.jit._jit_info
    if call.direct or not is_internal(facts_of_function(fun)["definition"] or ""):
        return None
    passed = dict(enumerate(call.args)) | dict(call.kwargs)
    static = {*info.static_argnums, *info.static_argnames}
    held = [function for label in static for function in _functions(passed.get(label))]
    if not any(_is_made_in_a_call(function) for function in held):
        return None
    options = {
        name if isinstance(name, str) else _parameter(fun, name): passed[name]
        for name in passed
        if name in static and _is_option("", passed[name])
    }
    args = tuple(value for label, value in passed.items() if label not in static)
    return _eager_call(call.jit.__name__, args, (), frame, options)


def _is_made_in_a_call(function: Any) -> bool:
    """Whether the program may have made it, or JAX while it was called; not one of JAX's modules."""
    own = facts_of_function(function)["definition"]
    return "<locals>" in getattr(function, "__qualname__", "") or (own is not None and not is_internal(own))


def _parameter(fun: Any, index: int) -> str:
    code = getattr(fun, "__wrapped__", fun).__code__
    return str(code.co_varnames[index]) if index < code.co_argcount else f"args[{index}]"


def _eager_call(
    event: str | None, args: tuple[Any, ...], bodies: Any, frame: FrameType, options: dict[str, Any]
) -> EagerCall:
    chain = [one for one in frames_of_jax(frame) if one.f_code.co_name != BOUNDARY]
    rules = rules_in(one.f_code.co_name for one in chain)
    entry, ordered = chain[-1], sorted(filter(None, bodies), key=is_internal)
    passed = [_below_jax(function) for value in _passed(entry) for function in _functions(value)]
    functions = tuple({id(function): function for function in passed if function is not None}.values())
    called = _name(entry.f_code)
    name = event if bodies and event else called
    return EagerCall(name, event, args, tuple(ordered), functions, rules, called, options)


def rules_in(names: Iterable[str]) -> tuple[str, ...]:
    """Of the names of functions of JAX, those that make a new program from a given one."""
    return tuple(name for name in dict.fromkeys(names) if any(word in name for word in _RULES))


def frames_of_jax(frame: FrameType) -> Iterator[FrameType]:
    """From that one to where the program, or a library that it uses, called JAX."""
    outer: FrameType | None = frame
    while outer is not None and owner(outer.f_code) == "jax":
        yield outer
        outer = outer.f_back


def _name(code: CodeType) -> str:
    """As the program calls it: `map`, `grad` where the function that `grad` returned was called."""
    outer, nested, _ = code.co_qualname.partition(".<locals>")
    return outer.lstrip("_") if nested else code.co_qualname


def _passed(frame: FrameType) -> Iterator[Any]:
    """What a function was called with, and what it has from the function around it."""
    code, variables = frame.f_code, frame.f_locals
    count = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4) + bool(code.co_flags & 8)
    for name in (*code.co_varnames[:count], *code.co_freevars):
        yield variables.get(name)


def _functions(value: Any) -> Iterator[Any]:
    if type(value) in (list, tuple, set, frozenset):
        for one in value:
            yield from _functions(one)
    elif callable(value) and not isinstance(value, type | ContextDecorator):  # a mesh can decorate
        yield value


def _below_jax(function: Any) -> Any:
    """The function that the program passed, if this is what JAX made of it; None for one of JAX's own that
    is made anew in each call.
    """
    while _is_made_by_jax(function):
        function = getattr(function, "__wrapped__", None)
    return function


def _is_made_by_jax(function: Any) -> bool:
    code = getattr(function, "__code__", None)
    return code is not None and is_internal(code.co_filename) and "<locals>" in code.co_qualname
