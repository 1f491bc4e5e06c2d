"""What each call is compared with: the nearest earlier one of its definition, and the reasons from that."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from jitinspect.calls.explain import History, Interner, Row, Signature, differences
from jitinspect.calls.reasons import after_failure, first_call, reasons
from jitinspect.jaxapi.jits.facts import JitFacts
from jitinspect.model import Reason


@dataclass(frozen=True, slots=True)
class Compared:
    """A call in the history of its definition, where it stands at `position`; `earlier` is the nearest one
    before it, None for a first call.
    """

    history: History
    position: int
    earlier: Row | None

    @property
    def differing(self) -> int:
        """How many components are not those of the nearest."""
        if self.earlier is None:
            return 0
        row, earlier = self.history.at(self.position), self.history.at(self.earlier.position)
        return sum(1 for _ in self.history.changed(row, earlier))

    @property
    def nearest(self) -> int | None:
        """The index of that one; None for a first call, and where what is nearest was no call."""
        if self.earlier is None or self.earlier.index < 0:
            return None
        return self.earlier.index


class Comparisons:
    """One history for each definition. `plannable` tells that hints may speak of `--plan`."""

    def __init__(self, interner: Interner, plannable: bool) -> None:
        self._interner, self._plannable = interner, plannable
        self._histories: dict[Hashable, History] = {}
        self._failed: set[int] = set()

    def compare(self, known: JitFacts, signature: Signature, index: int) -> Compared:
        """Find the nearest, and add call `index` to what later ones are compared with."""
        history = self._history(known)
        earlier = history.nearest(signature)
        return Compared(history, history.add(signature, index), earlier)

    def add(self, known: JitFacts, signature: Signature) -> None:
        """A signature that was compiled for, and not called."""
        self._history(known).add(signature, -1)

    def failed(self, index: int) -> None:
        """That call raised."""
        self._failed.add(index)

    def reasons(
        self,
        compared: Compared,
        known: JitFacts,
        made_at: str | None = None,
        cleared: bool = False,
        most: int | None = None,
    ) -> tuple[Reason, ...]:
        """Why the call is not like its nearest; `made_at` and `cleared` are those of `advice.reasons`, `most`
        that of `explain.differences`.
        """
        history, earlier = compared.history, compared.earlier
        if earlier is None:
            return (first_call(known),)
        found = differences(history, history.at(compared.position), history.at(earlier.position), most)
        if not found and earlier.index in self._failed:
            return (after_failure(known),)
        return reasons(found, known, made_at, cleared, self._plannable)

    def _history(self, known: JitFacts) -> History:
        history = self._histories.get(known.lineage)
        if history is None:
            history = self._histories[known.lineage] = History(self._interner)
        return history
