"""Files that an editor may save: which of them are no longer as they were read."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

_QUIET, _GONE = 0.1, 1.0
"""Seconds without another change, after which a save is taken to be complete: an editor may write a file in
parts, and one that is gone, or empty, may be about to be written.
"""


class Stamp(NamedTuple):
    """What a save changes: one by a rename changes the inode, whatever the clock says."""

    modified: int
    size: int
    inode: int


def stamp(file: str) -> Stamp | None:
    """That of the file, None if it is not there."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return Stamp(found.st_mtime_ns, found.st_size, found.st_ino)


class SavedFiles:
    """Files as they were when they were read, and which of them have been saved since."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._read: dict[str, Stamp | None] = {}
        self._seen: dict[str, Stamp | None] = {}
        self._since = clock()

    @property
    def files(self) -> Collection[str]:
        """Those that are watched."""
        return self._read.keys()

    def read(self, stamps: Mapping[str, Stamp | None]) -> None:
        """Watch these too; they were read when they had these stamps."""
        self._read |= stamps

    def keep_only(self, files: Collection[str]) -> None:
        """Forget the others."""
        self._read = {file: known for file, known in self._read.items() if file in files}

    def saved(self) -> tuple[str, ...]:
        """Those that have changed since they were read, once their changes are complete: from then on they
        count as read.
        """
        now = {file: stamp(file) for file in self._read}
        if now != self._seen:
            self._seen, self._since = now, self._clock()
        changed = tuple(file for file, found in now.items() if found != self._read[file])
        quiet = _QUIET if all(map(_is_written, map(now.get, changed))) else _GONE
        if not changed or self._clock() - self._since < quiet:
            return ()
        self._read |= now
        return changed


def _is_written(found: Stamp | None) -> bool:
    return found is not None and found.size > 0
