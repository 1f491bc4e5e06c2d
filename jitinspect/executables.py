"""Which executable a cached call used: by its arguments, looked at as little as will do."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from jitinspect.explain import Interner, Slot, Static
from jitinspect.jaxapi.calls import Watched
from jitinspect.jaxapi.jitinfo import JitFacts
from jitinspect.signature import Reading
from jitinspect.specs.dtypes import LONG

Probe = Callable[[Any, Any], int | None]
MOST_PROBED = 4096


@dataclass(slots=True, eq=False)
class Group:
    """Jits that share a fast path, and the executables that their calls can have used."""

    executables: dict[Hashable, int] = field(default_factory=dict)
    readings: dict[int, Reading] = field(default_factory=dict)
    watched: list[Watched] = field(default_factory=list)
    probed: bool = False

    def add(self, reading: Reading, number: int) -> None:
        self.executables[reading.execution] = number
        self.readings[number] = reading
        self._tell(self._only(), None)
        self.probed = False

    def join(self, watched: Watched) -> None:
        self.watched.append(watched)
        watched.executable = self._only()

    def _only(self) -> int | None:
        """The number of the only executable; None where there are several, or none."""
        numbers = iter(self.executables.values())
        first = next(numbers, None)
        return first if all(number == first for number in numbers) else None

    def prepare(self, facts: JitFacts, interner: Interner) -> None:
        """Give the jits a probe, where one can tell the executables apart."""
        if not self.probed and 1 < len(self.executables) <= MOST_PROBED:
            self._tell(None, _probe(self, facts, interner))
        self.probed = True

    def _tell(self, executable: int | None, probe: Probe | None) -> None:
        for watched in self.watched:
            watched.executable, watched.probe = executable, probe


def _probe(group: Group, facts: JitFacts, interner: Interner) -> Probe | None:
    """A look-up by one component that differs between all executables of the group; None if none does."""
    current = {number: group.readings[number] for number in group.executables.values()}
    first = next(iter(current.values())).signature
    form = first.form
    given = {
        slot.where: interner.values[i]
        for slot, i in zip(form.slots, first.ids, strict=True)
        if slot.kind == "call_form"
    }
    if any(reading.signature.form is not form for reading in current.values()):
        return None
    for position, slot in enumerate(form.slots):
        numbers = {reading.signature.ids[position]: number for number, reading in current.items()}
        look = _look(slot, given, facts) if len(numbers) == len(current) else None
        if look is not None:
            table = {_looked(slot, interner.values[value]): number for value, number in numbers.items()}
            return _by_table(look, table)
    return None


def _by_table(look: Callable[[Any, Any], Any], table: dict[Any, int]) -> Probe:
    def probe(args: Any, kwargs: Any) -> int | None:
        try:
            return table.get(look(args, kwargs))
        except (AttributeError, TypeError, LookupError):
            return None

    return probe


_SUFFIX = re.compile(r"(?:\.[^\W\d]\w*|\[\d+\]|\['\w*'\])*")
_ATTRIBUTE = {"shape": ".shape", "dtype": ".dtype.name"}


def _look(slot: Slot, given: dict[str | None, str], facts: JitFacts) -> Callable[[Any, Any], Any] | None:
    """A function of (args, kwargs) that reads one component; None for what is not so simply read.

    `given` tells how each parameter was given. Only names, numbers and plain keys become code.
    """
    if slot.where is None or slot.kind not in (*_ATTRIBUTE, "static_value"):
        return None
    name = re.match(r"\w+", slot.where)
    if name is None or not _SUFFIX.fullmatch(slot.where, name.end()):
        return None
    if given.get(name[0]) == "by position":
        source = f"args[{list(facts.parameters).index(name[0])}]{slot.where[name.end() :]}"
    elif given.get(name[0]) == "by keyword":
        source = f"kwargs[{name[0]!r}]{slot.where[name.end() :]}"
    else:
        return None
    if slot.kind == "static_value":
        source = f"({source}.__class__, {source})"
    look: Callable[[Any, Any], Any] = eval(f"lambda args, kwargs: {source}{_ATTRIBUTE.get(slot.kind, '')}")
    return look


def _looked(slot: Slot, value: Any) -> Any:
    if isinstance(value, Static):
        return value.type, value.value
    return LONG.get(value, value) if slot.kind == "dtype" else value
