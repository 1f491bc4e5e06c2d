"""Each call compared with the nearest earlier call of its definition, and the reasons that follow."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from jitinspect.calls.explain import History, Interner, Row, Signature, differences
from jitinspect.calls.reasons import after_failure, first_call, reasons
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

    def compare(self, facts: JitFacts, signature: Signature, index: int) -> Compared:
        """Find the nearest call, and add call `index` to those that later ones are compared with."""
        history = self._history(facts)
        earlier = history.nearest(signature)
        return Compared(history, history.add(signature, index), earlier)

    def add(self, facts: JitFacts, signature: Signature) -> None:
        """Add a signature that was compiled but not called."""
        self._history(facts).add(signature, -1)

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
        """Why the call differs from its nearest; `made_at` and `cleared` are passed to `reasons.reasons`,
        `most` to `explain.differences`.
        """
        history, earlier = compared.history, compared.earlier
        if earlier is None:
            return (first_call(facts),)
        differing = differences(history, history.at(compared.position), history.at(earlier.position), most)
        if not differing and earlier.index in self._failed:
            return (after_failure(facts),)
        return reasons(differing, facts, made_at, cleared, self._plannable)

    def _history(self, facts: JitFacts) -> History:
        history = self._histories.get(facts.lineage)
        if history is None:
            history = self._histories[facts.lineage] = History(self._interner)
        return history
