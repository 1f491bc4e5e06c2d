"""What got slower between two measurements: the part of the report of `diff` that is about time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["slower", "faster", "same"]


@dataclass(frozen=True, slots=True)
class TimeChange:
    """Seconds of `name`, None on a side that has no such thing. It is the `same` if they differ by no more
    than `noise` seconds, as two measurements of one thing may. `lines` are `file:line`.
    """

    name: str
    before: float | None
    after: float | None
    noise: float
    verdict: Verdict
    lines: tuple[str, ...] = ()

    @property
    def more(self) -> float:
        """Seconds more than before; negative if it is faster."""
        return (self.after or 0.0) - (self.before or 0.0)


@dataclass(frozen=True, slots=True)
class TimeTable:
    """All changes `by` line, operation, phase or another part, the largest first."""

    by: str
    changes: tuple[TimeChange, ...]


@dataclass(frozen=True, slots=True)
class TimeDifference:
    """Of one call. `noise` says how it was found out what measurements may differ by; `dims` are the sizes in
    a sweep.
    """

    total: TimeChange
    tables: tuple[TimeTable, ...]
    noise: str
    dims: Mapping[str, int] = field(default_factory=dict)

    @property
    def same(self) -> bool:
        changes = [self.total, *(change for table in self.tables for change in table.changes)]
        return all(change.verdict == "same" for change in changes)
