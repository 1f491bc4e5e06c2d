"""JAX's in-memory caches as keys: what each layer looks up for a call. Seen on 0.10.2 and 0.12.0.1."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from jitinspect.calls.signature import CallKey
from jitinspect.jaxapi.jits.facts import JitFacts
from jitinspect.jaxapi.keys.context import donates


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that the layers below the fast path look up."""

    traced: Hashable
    lowered: Hashable
    compiled: Hashable


def fast(facts: JitFacts, call_key: CallKey) -> Hashable:
    """The key of the fast path. On a hit none of the other layers is consulted."""
    return facts.fast, call_key.execution


class Layers:
    """The keys of calls. A jit decides at its first lookup of a trace whether to donate: under
    `jax_debug_nans` nothing is donated, and that setting is not part of any key.
    """

    def __init__(self) -> None:
        self._settled: dict[Hashable, Hashable] = {}

    def forget(self) -> None:
        """Caches were cleared: even `clear_cache()` of one jit clears what all jits have looked up."""
        self._settled.clear()

    def keys(self, facts: JitFacts, call_key: CallKey) -> Keys:
        """Must be called in the context of the call.

        A trace is shared by all jits of a function. A lowering depends on how arrays are placed, but not
        on which devices; the compiler's options only matter for the executable.
        """
        now = facts.options_to_lower if donates() else facts.options_to_lower_undonated
        options = self._settled.setdefault((facts.group, call_key.traced), now)
        traced = (facts.function, call_key.traced)
        lowered = (facts.function, call_key.traced, options, call_key.placed)
        where = call_key.devices or call_key.default_device
        return Keys(traced, lowered, (lowered, facts.options.get("compiler_options"), where))
