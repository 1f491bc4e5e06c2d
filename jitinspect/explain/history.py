"""The earlier signatures of one definition, so kept that the nearest to a new one is found at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from jitinspect.explain.slots import ABSENT, Form, Interner, Signature, Slot
from jitinspect.model import ReasonKind

Ids = npt.NDArray[np.int32]


class Row:
    """One signature, its components by slot; `index` is that of the call which brought it."""

    def __init__(self, history: History, ids: Ids, index: int) -> None:
        self._history = history
        self.ids = ids
        self.index = index

    def get(self, kind: ReasonKind, where: str | None) -> Any:
        """The value of a component; None where the call does not have it."""
        return self._history.value(self.ids, Slot(kind, where))


class History:
    """A column per component. Only those that ever varied are kept for every signature: most never do
    (weights, settings), and so the nearest of thousands is found by a look at a few.
    """

    def __init__(self, interner: Interner) -> None:
        self._interner = interner
        self._columns: dict[Slot, int] = {}
        self.slots: list[Slot] = []
        self._forms: dict[Form, Ids] = {}
        self._common: Ids = np.empty(0, np.int32)
        self._varying: dict[int, Ids] = {}
        self._indices: list[int] = []
        self._capacity = 64

    def __len__(self) -> int:
        return len(self._indices)

    def add(self, signature: Signature, index: int) -> None:
        """Remember the signature that call `index` brought."""
        ids, count = self._dense(signature), len(self)
        if count == self._capacity:
            self._grow()
        if count == 0:
            self._common = ids.copy()
        for column in np.nonzero(ids != self._common)[0].tolist():
            if column not in self._varying:
                self._varying[column] = np.full(self._capacity, self._common[column], np.int32)
        for column, kept in self._varying.items():
            kept[count] = ids[column]
        self._indices.append(index)

    def nearest(self, signature: Signature) -> Row | None:
        """The earlier signature with the fewest differences, the newest on a tie; None if there is none."""
        count = len(self)
        if count == 0:
            return None
        ids = self._dense(signature)
        differing = np.zeros(count, np.int32)
        for column, kept in self._varying.items():
            if ids[column] != ABSENT:
                earlier = kept[:count]
                differing += (earlier != ids[column]) & (earlier != ABSENT)
        best = count - 1 - int(np.argmin(differing[::-1]))
        return self._row(best)

    def row(self, signature: Signature, index: int) -> Row:
        """A new signature as a row, to be compared with one that is remembered."""
        return Row(self, self._dense(signature), index)

    def changed(self, row: Row, earlier: Row) -> Iterator[Slot]:
        """The components that both have and that differ, in the order in which they first came up."""
        size = len(earlier.ids)
        both = (row.ids[:size] != ABSENT) & (earlier.ids != ABSENT)
        for column in np.nonzero(both & (row.ids[:size] != earlier.ids))[0]:
            yield self.slots[column]

    def value(self, ids: Ids, slot: Slot) -> Any:
        column = self._columns.get(slot, len(ids))
        number = ids[column] if column < len(ids) else ABSENT
        return None if number == ABSENT else self._interner.values[number]

    def _row(self, position: int) -> Row:
        ids = self._common.copy()
        for column, kept in self._varying.items():
            ids[column] = kept[position]
        return Row(self, ids, self._indices[position])

    def _dense(self, signature: Signature) -> Ids:
        columns = self._forms.get(signature.form)
        if columns is None:
            columns = self._forms[signature.form] = self._new_form(signature.form.slots)
        ids = np.full(len(self.slots), ABSENT, np.int32)
        ids[columns] = signature.ids
        return ids

    def _new_form(self, slots: tuple[Slot, ...]) -> Ids:
        for slot in slots:
            if slot not in self._columns:
                self._columns[slot] = len(self.slots)
                self.slots.append(slot)
        missing = len(self.slots) - len(self._common)
        self._common = np.append(self._common, np.full(missing, ABSENT, np.int32))
        return np.array([self._columns[slot] for slot in slots], np.int32)

    def _grow(self) -> None:
        self._capacity *= 2
        for column, kept in self._varying.items():
            larger = np.full(self._capacity, ABSENT, np.int32)
            larger[: len(kept)] = kept
            self._varying[column] = larger
