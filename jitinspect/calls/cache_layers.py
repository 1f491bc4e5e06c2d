"""JAX's in-memory caches as keys: what each layer looks a call up by. Seen on 0.10.2 and 0.12.0.1."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from jitinspect.calls.signature import CallKey
from jitinspect.jaxapi.jits.facts import JitFacts
from jitinspect.jaxapi.keys.context import donates

_NOT_IN_A_LOWERING = ("static_argnums", "static_argnames", "inline", "compiler_options")
"""Options that two jits may differ in and share a lowering: static arguments are in the call's form."""
_DONATION = ("donate_argnums", "donate_argnames")


@dataclass(frozen=True, slots=True)
class Keys:
    """What the layers below the fast path look a call up by."""

    traced: Hashable
    lowered: Hashable
    compiled: Hashable


def fast(known: JitFacts, call_key: CallKey) -> Hashable:
    """The key of the fast path, which runs nothing of the others where it finds an entry."""
    return known.fast, call_key.execution


class Layers:
    """The keys of calls. A jit settles at its first look-up of a trace whether that donates: under
    `jax_debug_nans` nothing is donated, and the setting is in no key.
    """

    def __init__(self) -> None:
        self._settled: dict[Hashable, Hashable] = {}

    def forget(self) -> None:
        """Caches were cleared: also `clear_cache()` of one jit clears what all jits have looked up."""
        self._settled.clear()

    def keys(self, known: JitFacts, call_key: CallKey) -> Keys:
        """To be asked in the context of the call.

        A trace is shared by all jits of a function. A lowering knows how arrays are placed and not where;
        the compiler's options come to it last.
        """
        options = self._settled.setdefault((known.group, call_key.traced), _options(known))
        traced = (known.function, call_key.traced)
        lowered = (known.function, call_key.traced, options, call_key.placed)
        where = call_key.devices or call_key.default_device
        return Keys(traced, lowered, (lowered, known.options.get("compiler_options"), where))


def _options(known: JitFacts) -> Hashable:
    """Those that a lowering hangs on."""
    left_out = _NOT_IN_A_LOWERING if donates() else _NOT_IN_A_LOWERING + _DONATION
    return tuple(() if name in left_out else value for name, value in known.options.items())
