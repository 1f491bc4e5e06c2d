"""The three quantities that are counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Work:
    """FLOPs, transcendental operations (which are no FLOPs, as XLA has it), and bytes read or written."""

    flops: int = 0
    transcendentals: int = 0
    bytes: int = 0

    def __mul__(self, times: int) -> Work:
        return Work(self.flops * times, self.transcendentals * times, self.bytes * times)

    def most(self, other: Work) -> Work:
        """The greater of each."""
        return Work(
            max(self.flops, other.flops),
            max(self.transcendentals, other.transcendentals),
            max(self.bytes, other.bytes),
        )


def added(works: Sequence[Work]) -> Work:
    """All together."""
    return Work(
        sum(one.flops for one in works),
        sum(one.transcendentals for one in works),
        sum(one.bytes for one in works),
    )


NONE = Work()
