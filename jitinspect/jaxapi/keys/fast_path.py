"""The settings that the C++ fast path of a jit looks up. They are not the same as those that a trace depends
on: of some, only one of the two takes notice.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from functools import cache
from typing import Any

from jax._src import config as _config
from jax._src import lib as _lib
from jax._src import tree_util as _tree_util
from jax._src.interpreters import pxla as _pxla

from jitinspect.jaxapi.keys.context import context_names


@cache
def not_looked_up() -> frozenset[str]:
    """The settings that traces depend on and the fast path ignores: if only they change, a call that was made
    before stays cached. `jax_high_dynamic_range_gumbel`, `jax_mutable_array_checks`,
    `jax_hlo_source_file_canonicalization_regex` and `jax_disable_jit` (0.8.3 to 0.12.0.1). Empty if this JAX
    cannot be asked.
    """
    found = _looked_up()
    return frozenset(set(context_names()) & set(_config.config_states) - found) if found else frozenset()


def fast_path_entries(jit: Any) -> int:
    """How many the fast path has for this jit; 0 if this JAX does not tell."""
    count = getattr(jit, "_cache_size", None)
    return int(count()) if count is not None else 0


def looked_up_values() -> tuple[Any, ...]:
    """The values of settings that the fast path looks up although no trace depends on them, such as
    `jax_optimization_level`: if they change, a call is looked up again, and finds its executable.
    """
    return tuple([state.value for state in _only_looked_up()])


@cache
def _only_looked_up() -> tuple[Any, ...]:
    names = _looked_up() - set(context_names())
    return tuple(_config.config_states[name] for name in sorted(names))


@cache
def _looked_up() -> frozenset[str]:
    """By trial: each setting gets another value for a moment, in this thread alone, and a call of a jit that
    does nothing, with a cache of its own, is looked up. Nothing is traced. JAX tells of the names in no
    other way (0.8.3 to 0.12.0.1).
    """
    with suppress(AttributeError, TypeError, RuntimeError), ExitStack() as restoring:
        jit_disabled = _config.config_states["jax_disable_jit"]
        restoring.callback(jit_disabled.set_local, jit_disabled.swap_local(False))
        jit = _idle_jit()
        return frozenset(name for name, state in _config.config_states.items() if _is_new(jit, state))
    return frozenset()


def _idle_jit() -> Any:
    """A jit, to C++, that has been called once and whose calls do nothing."""
    jaxlib: Any = _lib
    xla = jaxlib.xla_client._xla
    jit = xla.pjit(
        "idle", lambda: None, lambda *args, **kwargs: (None, None), [], [], object(),
        _tree_util.dispatch_registry, _pxla.cc_shard_arg, xla.PjitFunctionCache(capacity=4096),
    )  # fmt: skip
    jit()
    return jit


def _is_new(jit: Any, state: Any) -> bool:
    """Whether a call with another value of the setting gets an entry of its own. C++ wants bools for some."""
    entries, value = jit._cache_size(), state.value
    before = state.swap_local(not value if isinstance(value, bool) else object())
    try:
        jit()
    finally:
        state.set_local(before)
    return bool(jit._cache_size() > entries)
