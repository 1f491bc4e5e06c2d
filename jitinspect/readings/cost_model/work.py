"""The three quantities that the cost model counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Work:
    """FLOPs, transcendental operations (which XLA does not count as FLOPs), and bytes read or written."""

    flops: int = 0
    transcendentals: int = 0
    bytes: int = 0

    @property
    def parts(self) -> tuple[int, int, int]:
        return self.flops, self.transcendentals, self.bytes

    def __mul__(self, times: int) -> Work:
        return Work(self.flops * times, self.transcendentals * times, self.bytes * times)

    def minimum(self, other: Work) -> Work:
        """The lesser of each quantity."""
        return Work(
            min(self.flops, other.flops),
            min(self.transcendentals, other.transcendentals),
            min(self.bytes, other.bytes),
        )

    def maximum(self, other: Work) -> Work:
        """The greater of each quantity."""
        return Work(
            max(self.flops, other.flops),
            max(self.transcendentals, other.transcendentals),
            max(self.bytes, other.bytes),
        )


def total_work(works: Sequence[Work]) -> Work:
    """The sum of each quantity."""
    if len(works) == 1:
        return works[0]
    return Work(
        sum(one.flops for one in works),
        sum(one.transcendentals for one in works),
        sum(one.bytes for one in works),
    )


NONE = Work()
