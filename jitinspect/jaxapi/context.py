"""The context that JAX traces in: each setting and mesh that a cached trace hangs on."""

from __future__ import annotations

from contextlib import AbstractContextManager
from difflib import get_close_matches
from typing import Any

from jax._src import config as _config

from jitinspect.errors import UsageError
from jitinspect.jaxapi.devices import option

_IDENTITY_ONLY = {"axis_env_state"}  # compares by identity, and is empty wherever a program calls a jit


def trace_context() -> dict[str, Any]:
    """name → value of what JAX keys its trace cache with, context managers honoured: `jax_enable_x64`,
    `jax_default_matmul_precision`, `mesh_context_manager`, ….

    JAX tells both names and values (`trace_context_names`, 0.10.2 and 0.12.0.1: 46 and 51 of them);
    `jax_debug_nans` and other settings that no trace hangs on are not among them. Empty where this
    JAX has no such functions.
    """
    return dict(zip(_NAMES, context_values(), strict=True))


def context_names() -> tuple[str, ...]:
    return _NAMES


def context_values() -> tuple[Any, ...]:
    """The values alone, to be compared at once."""
    values = _values()
    return tuple(values[index] for index in _COMPARED)


def donates() -> bool:
    """Whether JAX donates what a jit says: not under `jax_debug_nans` (0.10.2 and 0.12.0.1)."""
    return not option("jax_debug_nans")


def setting(name: str, value: Any) -> AbstractContextManager[Any]:
    """A context in which JAX's option `name` (with or without its `jax_`) has `value`.

    JAX has a public context manager for some options alone; that of each is kept in `config_states`
    (0.10.2 and 0.12.0.1). Raises `UsageError` for an option that has none, or does not take the value.
    """
    states = getattr(_config, "config_states", {})
    state = states.get(name, states.get(f"jax_{name}"))
    if state is None:  # (a state has no truth value)
        near = get_close_matches(f"jax_{name.removeprefix('jax_')}", states, n=1)
        hint = f"did you mean {near[0]}?" if near else None
        raise UsageError(f"JAX has no setting {name!r} that holds for a while", hint=hint)
    try:
        context: AbstractContextManager[Any] = state(value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name} does not take {value!r}: {error}") from None
    return context


def _probe() -> tuple[tuple[str, ...], tuple[int, ...], Any]:
    names, values = getattr(_config, "trace_context_names", None), getattr(_config, "trace_context", None)
    try:
        told = tuple(names())  # type: ignore[misc]
        assert len(told) == len(values())  # type: ignore[misc]
    except (TypeError, NotImplementedError, AssertionError):
        return (), (), tuple
    compared = tuple(index for index, name in enumerate(told) if name not in _IDENTITY_ONLY)
    return tuple(told[index] for index in compared), compared, values


_NAMES, _COMPARED, _values = _probe()
