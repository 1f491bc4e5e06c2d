"""The context that JAX traces in: each setting and mesh that a cached trace hangs on."""

from __future__ import annotations

from typing import Any

from jax._src import config as _config

_IDENTITY_ONLY = {"axis_env_state"}  # compares by identity, and is empty wherever a program calls a jit


def trace_context() -> dict[str, Any]:
    """name → value of what JAX keys its trace cache with, context managers honoured: `jax_enable_x64`,
    `jax_default_matmul_precision`, `mesh_context_manager`, ….

    JAX tells both names and values (`trace_context_names`, 0.10.2 and 0.12.0.1: 46 and 51 of them);
    `jax_debug_nans` and other settings that no trace hangs on are not among them. Empty where this
    JAX has no such functions.
    """
    return {name: value for name, value in zip(_NAMES, _values(), strict=True) if name not in _IDENTITY_ONLY}


def context_values() -> tuple[Any, ...]:
    """The same values as one tuple, to be compared at once."""
    return tuple(_values())


def _probe() -> tuple[tuple[str, ...], Any]:
    names, values = getattr(_config, "trace_context_names", None), getattr(_config, "trace_context", None)
    try:
        told = tuple(names())  # type: ignore[misc]
        return (told, values) if len(told) == len(values()) else ((), tuple)  # type: ignore[misc]
    except (TypeError, NotImplementedError):
        return (), tuple


_NAMES, _values = _probe()
