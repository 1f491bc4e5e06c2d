"""Entries that may go → those that went, beside JAX processes that read and write the folder meanwhile.

JAX writes an entry in place and, unless a size limit is set, without a lock. An entry that decompresses to
its end is complete, and can go at any time: a process that is about to read it compiles instead. One that
does not may be on its way: it stays until nothing was written to it for `entries.STILL_WRITING` seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from jitinspect.files.cache.entries import STILL_WRITING, SUFFIX, USED_SUFFIX
from jitinspect.files.cache.folder_lock import locked
from jitinspect.files.cache.listing import ALL, Filter, entries_in, names_in, totals
from jitinspect.files.cache.remote import require_local
from jitinspect.files.cache.verification import tried
from jitinspect.model.cache import CacheEntry, CacheTotals, Outcome, PrunedEntry, PruneReport


@dataclass(frozen=True, slots=True)
class Choice:
    """Which entries go: of those that pass the `filter`, if asked for, only foreign or damaged ones; and of
    these, with `keep`, only as many as needed for all of the folder to take no more than that many bytes.
    """

    filter: Filter = ALL
    foreign: bool = False
    damaged: bool = False
    keep: int | None = None

    def reason(self, entry: CacheEntry) -> str | None:
        """Why it may go, None if it may not."""
        if not self.filter.passes(entry) or entry.state == "unreadable" or may_be_written(entry):
            return None
        if not (self.foreign or self.damaged):
            return entry.why_not or ("least recently used" if self.keep is not None else "asked for")
        is_damaged = entry.state in ("damaged", "refused")
        is_chosen = self.damaged if is_damaged else self.foreign and entry.loadable is False
        return entry.why_not if is_chosen else None


def may_be_written(entry: CacheEntry) -> bool:
    """Whether what is wrong with it may be that its end is still to come."""
    return entry.state == "unfinished" or (entry.state == "damaged" and entry.age_seconds < STILL_WRITING)


def prune(
    folder: str,
    choice: Choice,
    remove: bool,
    needs_lock: bool,
    on_entry: Callable[[], None] = lambda: None,
) -> PruneReport:
    """What goes, or without `remove` would go. Raises what `names_in` and `locked` do; to find damaged ones,
    JAX opens entries, as for `cache verify`, which raises what that does.
    """
    require_local(folder, "cache prune")
    now = time.time()
    entries = list(entries_in(folder, names_in(folder), on_entry, now))
    if choice.damaged:
        passing = [entry for entry in entries if choice.filter.passes(entry)]
        entries = tried(folder, passing) + [entry for entry in entries if not choice.filter.passes(entry)]
    going = [entry for entry in entries if choice.reason(entry)]
    if choice.keep is not None:
        going = _least_recent(going, totals(entries).bytes - choice.keep)
    outcomes: list[Outcome] = ["would_go" for _ in going]
    if remove and going:
        with locked(Path(folder), needs_lock):
            outcomes = [_removed(Path(folder, entry.file), entry, now) for entry in going]
    rows = tuple(map(partial(_row, choice), going, outcomes))
    freed, whole = totals(row for row in rows if row.outcome in ("would_go", "removed")), totals(entries)
    left = CacheTotals(whole.entries - freed.entries, whole.bytes - freed.bytes)
    return PruneReport(
        "cache prune", folder, not remove, rows, freed, left, tuple(_notes(entries, choice, going))
    )


def _notes(entries: Sequence[CacheEntry], choice: Choice, going: Sequence[CacheEntry]) -> Iterator[str]:
    if young := sum(map(may_be_written, filter(choice.filter.passes, entries))):
        yield f"{young:,} may still be being written, and stay until they are {STILL_WRITING:.0f} s old"
    if choice.keep is not None and going and all(entry.used_seconds is None for entry in going):
        yield (
            "JAX has noted no last use (it does only with JAX_COMPILATION_CACHE_MAX_SIZE): those written "
            "longest ago go first"
        )


def _row(choice: Choice, entry: CacheEntry, outcome: Outcome) -> PrunedEntry:
    return PrunedEntry(
        entry.file,
        entry.module,
        entry.bytes,
        entry.age_seconds,
        entry.used_seconds,
        choice.reason(entry) or "",
        outcome,
    )


def _least_recent(entries: Sequence[CacheEntry], excess: int) -> list[CacheEntry]:
    """As many entries, least recently used first, as take `excess` bytes. Where JAX has noted no use, one
    was last used when it was written, as far as is known.
    """
    going = []
    for entry in sorted(entries, key=_idle, reverse=True):
        if excess <= 0:
            break
        going.append(entry)
        excess -= entry.bytes
    return going


def _idle(entry: CacheEntry) -> float:
    return entry.age_seconds if entry.used_seconds is None else entry.used_seconds


def _removed(path: Path, entry: CacheEntry, now: float) -> Outcome:
    """Remove an entry, and then the note on its last use; but not if it is no longer what was read `now`."""
    try:
        status = path.stat()
        if (status.st_size, now - status.st_mtime) != (entry.bytes, entry.age_seconds):
            return "changed"
        path.unlink()
    except FileNotFoundError:
        return "changed"
    except OSError:
        return "failed"
    with suppress(OSError):
        path.with_name(path.name.removesuffix(SUFFIX) + USED_SUFFIX).unlink(missing_ok=True)
    return "removed"
