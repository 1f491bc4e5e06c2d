"""The context that JAX traces in: each setting and mesh that a cached trace hangs on."""

from __future__ import annotations

import os
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
    return {
        name: value for name, value in zip(_names(), _values(), strict=True) if name not in _IDENTITY_ONLY
    }


def changed_context() -> dict[str, str]:
    """What of `trace_context` is not JAX's own default: differs from what it was when this module was
    imported, before any code of the user's, or was set by the environment (`JAX_ENABLE_X64`) before that.
    """
    return {
        name: str(value)
        for name, value in trace_context().items()
        if name.upper() in os.environ or _differs(value, _AT_IMPORT.get(name, value))
    }


def _differs(value: Any, other: Any) -> bool:
    return type(value) is not type(other) or bool(value != other)


def context_values() -> tuple[Any, ...]:
    """The same values as one tuple, to be compared at once."""
    return _values()


def _names() -> tuple[str, ...]:
    """Asked for each time: what JAX imports later adds names (seen on 0.12.0.1)."""
    try:
        return tuple(_config.trace_context_names())
    except (AttributeError, NotImplementedError):
        return ()


def _values() -> tuple[Any, ...]:
    values = getattr(_config, "trace_context", None)
    return tuple(values()) if values and _names() else ()


_AT_IMPORT = trace_context()
