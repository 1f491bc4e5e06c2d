"""The options of a `jax.jit` object (`_jit_info`, private; 0.8.3 to 0.12.0.1), under their public names."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

_OPTIONS = (
    "static_argnums", "static_argnames", "donate_argnums", "donate_argnames", "in_shardings_leaves",
    "out_shardings_leaves", "in_layouts_leaves", "out_layouts_leaves", "keep_unused", "inline", "device",
    "backend", "compiler_options_kvs",
)  # fmt: skip
_PUBLIC_NAMES = {
    "in_shardings_leaves": "in_shardings", "out_shardings_leaves": "out_shardings",
    "in_layouts_leaves": "in_layouts", "out_layouts_leaves": "out_layouts",
    "compiler_options_kvs": "compiler_options",
}  # fmt: skip


def options_of(jit: Any) -> dict[str, Hashable]:
    """The options by name. Raises AttributeError if this JAX keeps them elsewhere."""
    info = jit._jit_info
    return {_PUBLIC_NAMES.get(name, name): _hashable(getattr(info, name, None)) for name in _OPTIONS}


def _hashable(value: Any) -> Hashable:
    try:
        hash(value)
    except Exception:
        return repr(value)
    return value  # type: ignore[no-any-return]
