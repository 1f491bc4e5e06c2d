"""Each call compared with the nearest earlier call of its definition, and the reasons that follow."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Hashable, Iterable

from jitinspect.calls.explain import Difference, History, Interner, Row, Signature, Slot, differences
from jitinspect.calls.reasons import after_failure, caches_cleared, first_call, reasons, unread
from jitinspect.jaxapi.jits.facts import JitFacts
from jitinspect.model import Reason


class Compared:
    """A call, to be compared with the earlier ones of its definition. That is done when it is asked for, in
    the order of the calls, and not while the program waits.
    """

    def __init__(self, lineage: _Lineage, signature: Signature, index: int, unread: bool) -> None:
        self.signature, self.index = signature, index
        self.unread = unread
        """Whether a call before it could not be read."""
        self._lineage = lineage
        self._found: tuple[int, Row | None] | None = None

    def settle(self, history: History) -> None:
        """Find the nearest call, and add this one to those that later ones are compared with."""
        earlier = history.nearest(self.signature)
        self._found = history.add(self.signature, self.index), earlier

    @property
    def earlier(self) -> Row | None:
        """The nearest earlier call; None for a first call."""
        return self._settled[1]

    @property
    def nearest(self) -> int | None:
        """The index of the nearest call; None for a first call, or if what is nearest was never called."""
        earlier = self.earlier
        return None if earlier is None or earlier.index < 0 else earlier.index

    @property
    def changed(self) -> Iterable[Slot]:
        """The components that differ from those of the nearest call."""
        return () if self.earlier is None else self.history.changed(self.row, self.earlier)

    @property
    def row(self) -> Row:
        """This call."""
        return self.history.at(self._settled[0])

    @property
    def history(self) -> History:
        """Of the calls of its definition."""
        return self._lineage.history

    @property
    def _settled(self) -> tuple[int, Row | None]:
        if self._found is None:
            self._lineage.settle()
        assert self._found is not None, "it was among those that waited"
        return self._found


class _Lineage:
    """The calls of one definition: those that have been compared, and those that wait for it."""

    def __init__(self, interner: Interner) -> None:
        self.history = History(interner)
        self._waiting: deque[Compared] = deque()
        self._lock = threading.RLock()  # also for an interrupt whose report needs what is being compared

    def add(self, signature: Signature, index: int, unread: bool = False) -> Compared:
        compared = Compared(self, signature, index, unread)
        self._waiting.append(compared)
        return compared

    def settle(self) -> History:
        with self._lock:
            while self._waiting:
                self._waiting.popleft().settle(self.history)
        return self.history


class Comparisons:
    """One history per definition. With `plannable`, hints may mention `--plan`."""

    def __init__(self, interner: Interner, plannable: bool) -> None:
        self._interner, self._plannable = interner, plannable
        self._lineages: dict[Hashable, _Lineage] = {}
        self._failed: set[int] = set()
        self._unread: set[Hashable] = set()  # definitions with a call that could not be read

    def compare(self, facts: JitFacts, signature: Signature, index: int) -> Compared:
        """Compare call `index` with those before it, and later ones with it."""
        return self._lineage(facts).add(signature, index, facts.lineage in self._unread)

    def add(self, facts: JitFacts, signature: Signature) -> None:
        """Add a signature that was compiled but not called."""
        self._lineage(facts).add(signature, -1)

    def stale(self, facts: JitFacts, signature: Signature) -> tuple[Difference, ...]:
        """For a call that was not traced: the static values that were changed in place since the call whose
        trace it must have used, so that its result is that of the earlier values.
        """
        if facts.lineage not in self._lineages:
            return ()
        history = self._lineages[facts.lineage].settle()
        earlier = history.nearest(signature)
        if earlier is None:
            return ()
        found = differences(history, history.row_of(signature), earlier)
        return tuple(one for one in found if one.in_place)

    def unread(self, name: str, lineage: Hashable, seen: str) -> tuple[Reason, ...]:
        """Why something compiled that cannot be compared; `seen` says what was seen of it."""
        known = lineage in self._lineages or lineage in self._unread
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
            if compared.unread:
                return (unread(facts.name, "the earlier calls could not be read"),)
            return (first_call(facts.name),)
        differing = differences(history, compared.row, earlier, most)
        if not differing and earlier.index in self._failed:
            return (after_failure(facts),)
        if cleared and not differing:
            captured_differs = any(slot.kind == "closure" for slot in compared.changed)
            return (caches_cleared(facts, captured_differs),)
        return reasons(differing, facts, made_at, self._plannable)

    def _lineage(self, facts: JitFacts) -> _Lineage:
        lineage = self._lineages.get(facts.lineage)
        if lineage is None:
            lineage = self._lineages[facts.lineage] = _Lineage(self._interner)
        return lineage
