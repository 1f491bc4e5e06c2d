"""The context that JAX traces in: each setting and mesh that a cached trace depends on."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from operator import itemgetter
from typing import Any

from jax._src import config as _config

from jitinspect.errors import UsageError
from jitinspect.jaxapi.devices import option

_IDENTITY_ONLY = {"axis_env_state"}  # compares by identity, and is empty wherever a program calls a jit


def trace_context() -> dict[str, Any]:
    """Name → value of the settings in the key of JAX's trace cache, including context managers:
    `jax_enable_x64`, `jax_default_matmul_precision`, `mesh_context_manager`, ….

    JAX has functions for both names and values (`trace_context_names`, 0.10.2 and 0.12.0.1: 46 and 51 of
    them); `jax_debug_nans` and other settings that traces do not depend on are not among them. Empty if
    this JAX has no such functions.
    """
    return dict(zip(context_names(), context_values(), strict=True))


def context_names() -> tuple[str, ...]:
    return tuple(name for name in _all_names(len(_values())) if name not in _IDENTITY_ONLY)


def context_values() -> tuple[Any, ...]:
    """The values alone, to be compared all at once."""
    values = _values()
    return _compared(len(values))(values)


def changed_context() -> dict[str, str]:
    """The part of `trace_context` that is not JAX's default: what has changed since this module was imported,
    before any of the user's code, or was set in the environment (`JAX_ENABLE_X64`).
    """
    return {
        name: str(value)
        for name, value in trace_context().items()
        if name.upper() in os.environ or _differs(value, _AT_IMPORT.get(name, value))
    }


def _differs(value: Any, other: Any) -> bool:
    return type(value) is not type(other) or bool(value != other)


def donates() -> bool:
    """Whether JAX donates what a jit asks for: not under `jax_debug_nans` (0.10.2 and 0.12.0.1)."""
    return not option("jax_debug_nans")


def setting(name: str, value: Any) -> AbstractContextManager[Any]:
    """A context in which JAX's option `name` (with or without its `jax_`) has `value`.

    JAX has public context managers for some options only; all are kept in `config_states` (0.10.2 and
    0.12.0.1). Raises `UsageError` for an option that has none, or does not accept the value.
    """
    states = getattr(_config, "config_states", {})
    state = states.get(name, states.get(f"jax_{name}"))
    if state is None:  # (a state has no truth value)
        from difflib import get_close_matches

        near = get_close_matches(f"jax_{name.removeprefix('jax_')}", states, n=1)
        hint = f"did you mean {near[0]}?" if near else None
        raise UsageError(f"JAX has no setting {name!r} that can be set temporarily", hint=hint)
    _check_value(name, value, state.value)
    try:
        context: AbstractContextManager[Any] = state(value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name} does not accept {value!r}: {error}") from None
    return context


def _check_value(name: str, value: Any, current: Any) -> None:
    """JAX accepts any value for some options, including those that it reads when its backend starts."""
    if (variable := f"JAX_{name.upper().removeprefix('JAX_')}") in _OF_THE_BACKEND:
        message = f"{name} cannot be set temporarily: JAX starts its backend once"
        raise UsageError(message, hint=f"set it for the whole script: {variable}={value}")
    for kind, (taken, hint) in _TAKEN.items():
        if isinstance(current, kind):
            if type(value) not in taken:
                raise UsageError(f"{name} does not accept {value!r}", hint=f"{name}={hint}")
            return


_OF_THE_BACKEND = ("JAX_PLATFORMS", "JAX_NUM_CPU_DEVICES")
_TAKEN: dict[type, tuple[tuple[type, ...], str]] = {
    bool: ((bool,), "True or False"),
    int: ((int,), "a whole number"),
    float: ((float, int), "a number"),
    str: ((str, type(None)), "'…', a string"),
}


@cache
def _all_names(count: int) -> tuple[str, ...]:
    """Read again when their number grows: later imports in JAX can add some (seen on 0.12.0.1)."""
    if count == 0:
        return ()
    names = tuple(_config.trace_context_names())
    assert len(names) == count, "JAX has as many names as values"
    return names


@cache
def _compared(count: int) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    kept = [index for index, name in enumerate(_all_names(count)) if name not in _IDENTITY_ONLY]
    return itemgetter(*kept) if kept else lambda values: ()


def _probe() -> Callable[[], tuple[Any, ...]]:
    """JAX's function for the values; one that gives none if this JAX does not give their names."""
    try:
        values: Callable[[], tuple[Any, ...]] = _config.trace_context
        return values if len(_config.trace_context_names()) == len(values()) else tuple
    except (AttributeError, TypeError, NotImplementedError):
        return tuple


_values = _probe()
_AT_IMPORT = trace_context()
