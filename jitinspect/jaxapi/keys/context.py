"""The context that JAX traces in: each setting and mesh that a cached trace depends on."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from enum import Enum
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

    JAX has a function for the values, and from 0.10 on one for the names (`trace_context_names`, 0.10.2 and
    0.12.0.1: 46 and 51 of them; 0.8.3 and 0.9.2 have 35 and 37); `jax_debug_nans` and other settings that
    traces do not depend on are not among them. Empty if this JAX has no such functions.
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
    """Whether JAX donates what a jit asks for: not under `jax_debug_nans` (0.8.3 to 0.12.0.1)."""
    return not option("jax_debug_nans")


def setting(name: str, value: Any) -> AbstractContextManager[Any]:
    """A context in which JAX's option `name` (with or without its `jax_`) has `value`.

    JAX has public context managers for some options only; all are kept in `config_states` (0.8.3 to
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
        if isinstance(current, kind) and not isinstance(current, Enum):  # of which some are numbers
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
    names = tuple(_names())
    assert len(names) == count, "JAX has as many names as values"
    return names


@cache
def _compared(count: int) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    kept = [index for index, name in enumerate(_all_names(count)) if name not in _IDENTITY_ONLY]
    return itemgetter(*kept) if kept else lambda values: ()


def _names_by_trial() -> tuple[str, ...]:
    """The names if JAX has no function for them (0.8, 0.9): each setting gets another value for a moment, in
    this thread alone, and the place in the context where that value shows up belongs to the setting.
    """
    other = object()
    found = [f"trace_context[{place}]" for place in range(len(_config.trace_context()))]
    for name, state in _states().items():
        before = state.swap_local(other)
        values = _config.trace_context()
        state.set_local(before)
        for place, value in enumerate(values):
            if value is other:
                found[place] = name
    return tuple(found)


def _states() -> dict[str, Any]:
    """Every setting: those that have an option, and the contexts (meshes and others) that have none."""
    kind: Any = _config.config_ext.Config
    contexts = (value for value in vars(_config).values() if isinstance(value, kind))
    return {state.name: state for state in (*contexts, *_config.config_states.values())}


def _probe() -> tuple[Callable[[], tuple[Any, ...]], Callable[[], tuple[str, ...]]]:
    """JAX's function for the values, and one for the names; both give nothing if JAX has neither."""
    for names in (getattr(_config, "trace_context_names", None), _names_by_trial):
        with suppress(AttributeError, TypeError, NotImplementedError):
            values: Callable[[], tuple[Any, ...]] = _config.trace_context
            if names is not None and len(names()) == len(values()):
                return values, names
    return tuple, tuple


_values, _names = _probe()
_AT_IMPORT = trace_context()
