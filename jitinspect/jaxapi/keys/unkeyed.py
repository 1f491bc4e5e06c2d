"""Settings that change what is traced or compiled, and that JAX does not look at when it looks for what is
compiled already: a call that is cached keeps the old behaviour.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import cache
from types import FrameType
from typing import Any

from jax._src import api as _api
from jax._src import config as _config

_COMPILED = ("jax_optimization_level", "jax_memory_fitting_level")
"""Read when XLA compiles (`compiler.get_compile_options`). Jits look again, and find the old executable."""
_MAKE_KEYS = ("random_seed", "random_wrap")
_TRACED: dict[str, Callable[[Any], bool]] = {
    "jax_default_prng_impl": lambda eqn: eqn.primitive.name in _MAKE_KEYS,
    "jax_enable_custom_prng": lambda eqn: eqn.primitive.name in _MAKE_KEYS,
    "jax_high_dynamic_range_gumbel": lambda eqn: "gumbel" in str(eqn.params.get("name", "")),
}
"""Read while a function is traced, if that leaves such an equation. The other settings that jits ignore
change no jaxpr, or only check or print something (0.10.2, 0.12.0.1).
"""
OnCall = Callable[[Any, FrameType], None]


def function_of(jit: Any) -> Any:
    """The function of a jit, or None for one of JAX's eager operations."""
    fun = getattr(jit, "_fun", None)
    return None if getattr(fun, "_apply_primitive", False) else fun


def values() -> dict[str, Any]:
    """The current values, in this thread."""
    return {name: state.value for name, state in _states().items()}


def read_by(jaxpr: Any) -> frozenset[str]:
    """The settings whose values this jaxpr, or what is compiled from it, depends on."""
    names = _states()
    left = {name: test for name, test in _TRACED.items() if name in names}
    for eqn in _equations(jaxpr):
        for name in [name for name, test in left.items() if test(eqn)]:
            del left[name]
    return frozenset(names) - left.keys()


class Watch:
    """Calls `on_change()` whenever one of the settings is set, and, while `armed`, `on_call(jit, frame)` for
    each call that the fast path serves, after it; `frame` is that of the caller. JAX has a hook for each of
    the two (0.8.3 to 0.12.0.1); what another has put there is called as well, and stays there.
    """

    def __init__(self, on_change: Callable[[], None], on_call: OnCall) -> None:
        self._on_change, self._on_call = on_change, on_call
        self._post: Any = getattr(_api, "_post_hook_state", None)
        self._before: Any = None
        self._own_before: Any = None
        self._hooks: list[tuple[Any, str, Any, Any]] = []

    def start(self) -> None:
        if self._post is None:
            return
        for state in _states().values():
            for attribute in ("_update_global_hook", "_update_thread_local_hook"):
                before = getattr(state, attribute)
                ours = self._after(before)
                setattr(state, attribute, ours)
                self._hooks.append((state, attribute, before, ours))

    def stop(self) -> None:
        self.arm(False)
        for state, attribute, before, ours in self._hooks:
            if getattr(state, attribute) is ours:
                setattr(state, attribute, before)
        self._hooks.clear()

    def arm(self, armed: bool) -> None:
        """Begin, or cease, to look at calls; while that is off, they cost nothing. A thread in which
        `jax.debug_nans` was entered once has a hook of its own from then on, which may be None.
        """
        if self._post is None:
            return
        hook, own = self._post.get_global(), self._post.get_local()
        if armed and hook != self._called:
            self._before = hook
            self._post.set_global(self._called)
        elif not armed and hook == self._called:
            self._post.set_global(self._before)
        if armed and own is not _config.config_ext.unset and own != self._called:
            self._own_before = own
            self._post.set_local(self._called)
        elif not armed and own == self._called:
            self._post.set_local(self._own_before)

    def _after(self, before: Callable[[Any], None] | None) -> Callable[[Any], None]:
        def updated(value: Any) -> None:
            if before is not None:
                before(value)
            self._on_change()

        return updated

    def _called(self, jit: Any, args: Any, kwargs: Any, out: Any) -> None:
        self._on_call(jit, sys._getframe(1))
        own = self._post.get_local() is not _config.config_ext.unset
        if (before := self._own_before if own else self._before) is not None:
            before(jit, args, kwargs, out)


@cache
def _states() -> dict[str, Any]:
    known = _config.config_states
    return {name: known[name] for name in (*_COMPILED, *_TRACED) if name in known}


def _equations(jaxpr: Any) -> Iterator[Any]:
    """All equations, also those of inner jaxprs."""
    for eqn in getattr(jaxpr, "eqns", ()):
        yield eqn
        for value in eqn.params.values():
            for inner in value if isinstance(value, (tuple, list)) else (value,):
                inner = getattr(inner, "jaxpr", inner)
                if hasattr(inner, "eqns"):
                    yield from _equations(inner)
