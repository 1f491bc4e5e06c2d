"""The earlier signatures of one definition, stored so that the nearest to a new one is found quickly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from jitinspect.calls.explain.slots import ABSENT, Form, Interner, Signature, Slot
from jitinspect.model import ReasonKind

Ids = npt.NDArray[np.int32]


class Row:
    """One signature, its components by slot; `index` is that of the call it comes from, `position` its place
    in the history, for `History.at`.
    """

    def __init__(self, history: History, index: int, position: int) -> None:
        self._history = history
        self.index = index
        self.position = position

    @cached_property
    def ids(self) -> Ids:
        return self._history.ids_at(self.position)

    @cached_property
    def _id_list(self) -> list[int]:
        listed: list[int] = self.ids.tolist()
        return listed

    def get(self, kind: ReasonKind, where: str | None) -> Any:
        """The value of a component; None where the call does not have it."""
        return self._history.value(self._id_list, kind, where)

    def call_form(self, where: str | None) -> str:
        """How an argument was passed, in the caller's words."""
        written = self._history.written.get(self.position, {})
        form: str = written.get(str(where)) or self.get("call_form", where)
        return form


class History:
    """A column per component. Only components that ever varied are stored for every signature: most never do
    (weights, settings), so the nearest of thousands is found by comparing a few.
    """

    def __init__(self, interner: Interner) -> None:
        self._interner = interner
        self._columns: dict[tuple[ReasonKind, str | None], int] = {}
        self.slots: list[Slot] = []
        self._forms: dict[Form, Ids] = {}
        self._all_absent: Ids = np.empty(0, np.int32)
        self._common = self._all_absent  # the values of components that never varied
        self._indices: list[int] = []
        self._varying: Ids = np.empty(0, np.int32)  # the columns stored in `_kept`, one line each
        self._kept: Ids = np.empty((0, 64), np.int32)
        self._highest: Ids = np.empty(0, np.int32)  # of each such line
        self._gaps: set[int] = set()  # lines of `_kept` in which some signature has no value
        self._last: tuple[Signature | None, Ids] = (None, self._common)
        self.written: dict[int, Mapping[str, str]] = {}  # by position, where `Signature` has it

    def __len__(self) -> int:
        return len(self._indices)

    def add(self, signature: Signature, index: int) -> int:
        """Remember the signature of call `index`; returns its position, for `at`."""
        ids, count = self._dense(signature), len(self)
        if count == 0:
            self._common = ids.copy()
        if count == self._kept.shape[1]:
            self._kept = np.pad(self._kept, ((0, 0), (0, count)))
        differing = ids != self._common
        differing[self._varying] = False
        self._keep_apart(differing.nonzero()[0])
        now = ids[self._varying]
        self._kept[: len(now), count] = now
        np.maximum(self._highest, now, out=self._highest)
        self._gaps.update((now == ABSENT).nonzero()[0].tolist())
        self._indices.append(index)
        if signature.written:
            self.written[count] = signature.written
        return count

    def _keep_apart(self, columns: npt.NDArray[np.intp]) -> None:
        """These columns vary from now on."""
        if not len(columns):
            return
        first = len(self._varying)
        self._varying = np.append(self._varying, columns.astype(np.int32))
        missing = len(self._varying) - len(self._kept)
        if missing > 0:
            self._kept = np.pad(self._kept, ((0, max(missing, first)), (0, 0)))
        common = self._common[columns]
        self._highest = np.append(self._highest, common)
        self._kept[first : len(self._varying)] = common[:, None]
        if len(self):
            self._gaps.update((first + np.flatnonzero(common == ABSENT)).tolist())

    def nearest(self, signature: Signature) -> Row | None:
        """The earlier signature with the fewest differences, the newest on a tie; None if there is none.

        Parts of an argument's tree that only one of the two has (a namedtuple's fields against a tuple's
        items) have no counterpart: each pair of them counts as one difference.
        """
        count = len(self)
        if count == 0:
            return None
        ids = self._dense(signature)[self._varying]
        lines = self._comparable(ids)
        ids, kept = ids[lines], self._kept[lines, :count]
        unequal = kept != ids[:, None]
        unequal[ids == ABSENT] = False
        if self._gaps:
            unequal &= kept != ABSENT
        differing = np.add.reduce(unequal.view(np.uint8), axis=0, dtype=np.uint32)
        if self._gaps and (parts := [place for place, line in enumerate(lines) if self._is_part(line)]):
            here, there = (ids[parts] != ABSENT)[:, None], kept[parts] != ABSENT
            differing += np.minimum((here & ~there).sum(axis=0), (~here & there).sum(axis=0)).astype(
                np.uint32
            )
        return self.at(count - 1 - int(differing[::-1].argmin()))

    def _comparable(self, ids: Ids) -> npt.NDArray[np.intp]:
        """The lines in which not all earlier signatures differ from these ids: a value that has just appeared
        has a higher id than all before it.
        """
        comparable = ids <= self._highest[: len(ids)]
        comparable[list(self._gaps)] = True
        return comparable.nonzero()[0]

    def _is_part(self, line: int) -> bool:
        kind: ReasonKind = self.slots[self._varying[line]].kind
        return kind == "structure"

    def at(self, position: int) -> Row:
        """The signature at `position`, in the order in which they were added."""
        return Row(self, self._indices[position], position)

    def row_of(self, signature: Signature) -> Row:
        """A signature as a row to compare others with, without adding it."""
        row = Row(self, -1, -1)
        row.ids = self._dense(signature)
        return row

    def ids_at(self, position: int) -> Ids:
        ids = self._common.copy()
        ids[self._varying] = self._kept[: len(self._varying), position]
        return ids

    def changed(self, row: Row, earlier: Row) -> Iterator[Slot]:
        """The components that both have and that differ, in the order in which they first appeared."""
        size = len(earlier.ids)
        both = (row.ids[:size] != ABSENT) & (earlier.ids != ABSENT)
        for column in np.nonzero(both & (row.ids[:size] != earlier.ids))[0]:
            yield self.slots[column]

    def value(self, ids: list[int], kind: ReasonKind, where: str | None) -> Any:
        column = self._columns.get((kind, where), len(ids))  # a plain tuple equals the Slot
        number = ids[column] if column < len(ids) else ABSENT
        return None if number == ABSENT else self._interner.values[number]

    def _dense(self, signature: Signature) -> Ids:
        """The ids by column. Called more than once for the current signature, so the last one is kept."""
        last, ids = self._last
        if last is signature and len(ids) == len(self.slots):
            return ids
        columns = self._forms.get(signature.form)
        if columns is None:
            columns = self._forms[signature.form] = self._new_form(signature.form.slots)
        ids = self._all_absent.copy()
        ids[columns] = signature.ids
        self._last = signature, ids
        return ids

    def _new_form(self, slots: tuple[Slot, ...]) -> Ids:
        for slot in slots:
            if slot not in self._columns:
                self._columns[slot] = len(self.slots)
                self.slots.append(slot)
        self._all_absent = np.full(len(self.slots), ABSENT, np.int32)
        self._common = np.append(self._common, self._all_absent[len(self._common) :])
        return np.array([self._columns[slot] for slot in slots], np.int32)
