"""Jits that share their caches, and the executables that their calls may have used."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from jitinspect.calls.explain import Interner
from jitinspect.calls.quick_lookup import Lookup, QuickLookup, no_lookup
from jitinspect.calls.signature import CallKey, Context
from jitinspect.jaxapi.calls.proxies import Watched
from jitinspect.jaxapi.jits.facts import JitFacts


@dataclass(slots=True, eq=False)
class Group:
    """Jits that share a fast path. A cached call's executable is found as the only one there is, by a quick
    lookup, or from all of its arguments.

    While a call is `under_way` that may compile (in another thread), its executable is not among those known:
    then only all of the arguments tell.
    """

    executables: dict[Hashable, int] = field(default_factory=dict)
    call_keys: dict[int, CallKey] = field(default_factory=dict)
    watched: list[Watched] = field(default_factory=list)
    under_way: int = 0
    _contexts: set[Context] = field(default_factory=set)
    _quick: QuickLookup | None = None
    _read_in_full: int = 0
    _next: int = 1

    def add(self, call_key: CallKey, number: int) -> None:
        self._contexts.add(call_key.context)
        if len(self._contexts) > 1:
            self._quick = None
        replaced = self.executables.get(call_key.execution)
        self.executables[call_key.execution] = number
        self.call_keys[number] = call_key
        if replaced is not None and replaced not in self.executables.values():
            del self.call_keys[replaced]
        if self._quick is not None and not self._quick.add(call_key, number, replaced):
            self._quick = None
        if not self.under_way:
            self._update_watched()

    def find(self, call_key: CallKey) -> int | None:
        """The executable of a cached call. A setting that only makes JAX look a call up again, in Python, may
        be another than at any call that is known: what is found is the executable of an equal call.
        """
        number = self.executables.get(call_key.execution)
        if number is not None:
            return number
        alike = {
            known
            for known, other in self.call_keys.items()
            if other.written == call_key.written and other.placement == call_key.placement
        }
        return alike.pop() if len(alike) == 1 else None

    def forget(self) -> None:
        """The fast path of these jits was cleared."""
        self.executables.clear()
        self.call_keys.clear()
        self._contexts.clear()
        self._quick = None
        self._update_watched()

    def join(self, watched: Watched) -> None:
        self.watched.append(watched)
        watched.executable, watched.lookup = self._known()

    def begin(self) -> None:
        """A call begins that may compile."""
        self.under_way += 1
        if self.under_way == 1:
            self._update_watched()

    def end(self) -> None:
        """It has ended; what it compiled has been added."""
        self.under_way -= 1
        if self.under_way == 0:
            self._update_watched()

    def _only(self) -> int | None:
        """The number of the only executable; None where there are several, or none."""
        numbers = iter(self.executables.values())
        first = next(numbers, None)
        return first if all(number == first for number in numbers) else None

    def prepare(self, facts: JitFacts, interner: Interner) -> None:
        """A call was read in full. Once that has happened often enough to be worth it, the jits get a quick
        lookup, which distinguishes the executables by fewer arguments.
        """
        self._read_in_full += 1
        alike = len(self._contexts) == 1  # what an argument is depends on settings
        several = alike and len(self.call_keys) > 1
        if several and self._read_in_full >= max(self._next, len(self.executables) // 4):
            self._next = 2 * self._read_in_full
            self._quick = QuickLookup(self.call_keys, facts, interner)
            self._update_watched()

    def _known(self) -> tuple[int | None, Lookup]:
        if self.under_way:
            return None, no_lookup
        return self._only(), self._quick.lookup if self._quick else no_lookup

    def _update_watched(self) -> None:
        executable, lookup = self._known()
        for watched in self.watched:
            watched.executable, watched.lookup = executable, lookup
