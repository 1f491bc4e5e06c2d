"""Folders for what is needed for a moment, of which nothing is left, however the process ends."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_REMOVE_AT_THE_END = 'read _; rm -rf -- "$0"'
"""Waits for the end of its standard input, which nobody writes to."""


@contextmanager
def temporary_folder() -> Iterator[str]:
    """A new folder, for as long as the `with` lasts.

    A process that is ended by a signal, as one that compiles is by Ctrl-C, removes nothing itself: a shell
    waits for the end of a pipe that only this process holds open.
    """
    made = tempfile.TemporaryDirectory(prefix="jitinspect-", ignore_cleanup_errors=True)
    with made as folder, _removed_at_the_end(folder):
        yield folder


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
