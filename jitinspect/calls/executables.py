"""Jits that share their caches, and the executables that their calls can have used."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from jitinspect.calls.explain import Interner
from jitinspect.calls.quick_lookup import Probe, Prober, no_probe
from jitinspect.calls.signature import Reading
from jitinspect.jaxapi.calls.fronts import Watched
from jitinspect.jaxapi.jits.facts import JitFacts


@dataclass(slots=True, eq=False)
class Group:
    """Jits that share a fast path, and what a cached call's executable is told by: the only one there is,
    a probe, or all of its arguments.
    """

    executables: dict[Hashable, int] = field(default_factory=dict)
    readings: dict[int, Reading] = field(default_factory=dict)
    watched: list[Watched] = field(default_factory=list)
    _prober: Prober | None = None
    _read_in_full: int = 0
    _next: int = 1

    def add(self, reading: Reading, number: int) -> None:
        again = self.executables.get(reading.execution)
        self.executables[reading.execution] = number
        self.readings[number] = reading
        if again is not None and again not in self.executables.values():
            del self.readings[again]
        if self._prober is not None and not self._prober.add(reading, number, again):
            self._prober = None
        self._tell(self._only(), self._prober.probe if self._prober else no_probe)

    def forget(self) -> None:
        """The fast path of these jits was cleared."""
        self.executables.clear()
        self.readings.clear()
        self._prober = None
        self._tell(None, no_probe)

    def join(self, watched: Watched) -> None:
        self.watched.append(watched)
        watched.executable = self._only()
        watched.probe = self._prober.probe if self._prober else no_probe

    def _only(self) -> int | None:
        """The number of the only executable; None where there are several, or none."""
        numbers = iter(self.executables.values())
        first = next(numbers, None)
        return first if all(number == first for number in numbers) else None

    def prepare(self, facts: JitFacts, interner: Interner) -> None:
        """A call was read in full. Whenever that has been done often enough to pay for it, the jits are given
        a probe, which tells the executables apart by less.
        """
        self._read_in_full += 1
        several = len(self.readings) > 1
        if several and self._read_in_full >= max(self._next, len(self.executables) // 4):
            self._next = 2 * self._read_in_full
            self._prober = Prober(self.readings, facts, interner)
            self._tell(None, self._prober.probe)

    def _tell(self, executable: int | None, probe: Probe) -> None:
        for watched in self.watched:
            watched.executable, watched.probe = executable, probe
