"""Folders for what is needed for a moment, of which nothing is left, however the process ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_REMOVE_AT_THE_END = 'read _; rm -rf -- "$0"'
"""Waits for the end of its standard input, which nobody writes to."""
_MEMORY = Path("/dev/shm")
_ROOM = 2**30
"""Free bytes that it has to have: a container's has 64 MiB, unless it was given more."""
_CHOSEN = ("TMPDIR", "TEMP", "TMP")


@contextmanager
def temporary_folder(*, timed: bool = False) -> Iterator[str]:
    """A new folder, for as long as the `with` lasts. If what writes to it is `timed`, it is one in memory
    where there is such a file system, and the user has not chosen another place: to make a file on a disk
    takes up to 0.1 ms.

    A process that is ended by a signal, as one that compiles is by Ctrl-C, removes nothing itself: a shell
    waits for the end of a pipe that only this process holds open.
    """
    place = _MEMORY if timed and _has_room_in_memory() else None
    made = tempfile.TemporaryDirectory(prefix="jitinspect-", dir=place, ignore_cleanup_errors=True)
    with made as folder, _removed_at_the_end(folder):
        yield folder


def _has_room_in_memory() -> bool:
    if any(map(os.environ.get, _CHOSEN)) or not os.access(_MEMORY, os.W_OK | os.X_OK):
        return False
    return shutil.disk_usage(_MEMORY).free >= _ROOM


@contextmanager
def _removed_at_the_end(folder: str) -> Iterator[None]:
    """The shell leads a process group of its own, so that Ctrl-C at the terminal does not reach it."""
    shell = None
    with suppress(OSError):  # where there is no such shell, or no more processes
        shell = subprocess.Popen(
            ["/bin/sh", "-c", _REMOVE_AT_THE_END, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        yield
    finally:
        if shell is not None:
            shell.kill()
            shell.communicate()
