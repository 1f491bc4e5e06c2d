"""Each call compared with the nearest earlier call of its definition, and the reasons that follow."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from jitinspect.calls.explain import Difference, History, Interner, Row, Signature, differences
from jitinspect.calls.reasons import after_failure, caches_cleared, first_call, reasons, unread
from jitinspect.jaxapi.jits.facts import JitFacts
from jitinspect.model import Reason


@dataclass(frozen=True, slots=True)
class Compared:
    """A call at `position` in the history of its definition; `earlier` is the nearest one before it, None
    for a first call.
    """

    history: History
    position: int
    earlier: Row | None

    @property
    def differing(self) -> int:
        """How many components differ from those of the nearest call."""
        if self.earlier is None:
            return 0
        row, earlier = self.history.at(self.position), self.history.at(self.earlier.position)
        return sum(1 for _ in self.history.changed(row, earlier))

    @property
    def nearest(self) -> int | None:
        """The index of the nearest call; None for a first call, or if what is nearest was never called."""
        if self.earlier is None or self.earlier.index < 0:
            return None
        return self.earlier.index


class Comparisons:
    """One history per definition. With `plannable`, hints may mention `--plan`."""

    def __init__(self, interner: Interner, plannable: bool) -> None:
        self._interner, self._plannable = interner, plannable
        self._histories: dict[Hashable, History] = {}
        self._failed: set[int] = set()
        self._unread: set[Hashable] = set()  # definitions with a call that could not be read

    def compare(self, facts: JitFacts, signature: Signature, index: int) -> Compared:
        """Find the nearest call, and add call `index` to those that later ones are compared with."""
        history = self._history(facts)
        earlier = history.nearest(signature)
        return Compared(history, history.add(signature, index), earlier)

    def add(self, facts: JitFacts, signature: Signature) -> None:
        """Add a signature that was compiled but not called."""
        self._history(facts).add(signature, -1)

    def stale(self, facts: JitFacts, signature: Signature) -> tuple[Difference, ...]:
        """For a call that was not traced: the static values that were changed in place since the call whose
        trace it must have used, so that its result is that of the earlier values.
        """
        history = self._histories.get(facts.lineage)
        earlier = history.nearest(signature) if history is not None else None
        if history is None or earlier is None:
            return ()
        found = differences(history, history.row_of(signature), earlier)
        return tuple(one for one in found if one.in_place)

    def unread(self, name: str, lineage: Hashable, seen: str) -> tuple[Reason, ...]:
        """Why something compiled that cannot be compared; `seen` says what was seen of it."""
        known = lineage in self._histories or lineage in self._unread
        self._unread.add(lineage)
        return (unread(name, seen) if known else first_call(name),)

    def failed(self, index: int) -> None:
        """Note that call `index` raised."""
        self._failed.add(index)

    def reasons(
        self,
        compared: Compared,
        facts: JitFacts,
        made_at: str | None = None,
        cleared: bool = False,
        most: int | None = None,
    ) -> tuple[Reason, ...]:
        """Why the call differs from its nearest, or that the caches were `cleared`; `made_at` is passed to
        `reasons.reasons`, `most` to `explain.differences`.
        """
        history, earlier = compared.history, compared.earlier
        if earlier is None:
            if facts.lineage in self._unread:
                return (unread(facts.name, "the earlier calls could not be read"),)
            return (first_call(facts.name),)
        differing = differences(history, history.at(compared.position), history.at(earlier.position), most)
        if not differing and earlier.index in self._failed:
            return (after_failure(facts),)
        if cleared and not differing:
            changed = history.changed(history.at(compared.position), history.at(earlier.position))
            return (caches_cleared(facts, captured_differs=any(slot.kind == "closure" for slot in changed)),)
        return reasons(differing, facts, made_at, self._plannable)

    def _history(self, facts: JitFacts) -> History:
        history = self._histories.get(facts.lineage)
        if history is None:
            history = self._histories[facts.lineage] = History(self._interner)
        return history
