"""The limits of `collectives`, as typed, and whether a report is within them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from jitinspect.cli.sizes import bytes_of
from jitinspect.errors import CheckFailed, UsageError
from jitinspect.ir.collectives import KINDS
from jitinspect.render.text import count, shown_path, size

if TYPE_CHECKING:
    from jitinspect.model.communication import CollectivesReport


@dataclass(frozen=True, slots=True)
class Limits:
    """`bytes_moved` are those of one call, None without a limit; with `nothing`, nothing may move at all."""

    bytes_moved: int | None
    forbidden: tuple[str, ...]
    nothing: bool

    def exceeded(self, report: CollectivesReport) -> Iterator[str]:
        """What is not as it was asked to be."""
        if self.nothing and report.collectives:
            yield f"the program has {count(len(report.collectives), 'collective')}"
        moved = _most_moved(report)
        if self.bytes_moved is not None and moved > self.bytes_moved:
            yield f"each device moves {size(moved)}, and may move {size(self.bytes_moved)}"
        for kind in self.forbidden:
            rows = [row for row in report.collectives if row.kind == kind]
            lines = dict.fromkeys(shown_path(line) for row in rows for line in row.lines)
            if rows:
                at = f" at {', '.join(lines)}" if lines else ""
                yield f"there {'are' if len(rows) > 1 else 'is'} {count(len(rows), kind)}{at}"


def limits_of(exit_code: bool, max_bytes_moved: str, forbid: list[str]) -> Limits:
    """Raises `UsageError` for a size or a kind that is none."""
    forbidden = tuple(_kind(word.strip()) for one in forbid for word in one.split(",") if word.strip())
    most = bytes_of("--max-bytes-moved", max_bytes_moved) if max_bytes_moved else None
    return Limits(most, forbidden, nothing=exit_code and most is None and not forbidden)


def check(report: CollectivesReport, limits: Limits) -> None:
    """Raises `CheckFailed` if a limit is exceeded."""
    if found := list(limits.exceeded(report)):
        raise CheckFailed("; ".join(found))


def _most_moved(report: CollectivesReport) -> int:
    """In the call that moves most, of a sweep."""
    moved: dict[str, int] = {}
    for row in report.collectives:
        moved[row.signature] = moved.get(row.signature, 0) + row.moved_bytes
    return max(moved.values(), default=0)


def _kind(word: str) -> str:
    name = word.lower().replace("_", "-")
    if name not in KINDS:
        near = get_close_matches(name, KINDS, 1)
        raise UsageError(f"{word!r} is no kind of collective", hint=near[0] if near else ", ".join(KINDS))
    return name
