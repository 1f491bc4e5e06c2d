"""The lock that JAX takes on a cache folder while it is to be kept below a size.

JAX takes it by the package `filelock`, which does what is done here on Linux and macOS (`flock`): it need not
be installed.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jitinspect.errors import UnavailableError

LOCK_NAME = ".lockfile"
_PATIENCE, _PAUSE = 10.0, 0.05
"""Seconds: as long as JAX waits for it (`lru_cache.LRUCache`, 0.8.3 to 0.12.0.1), and between two tries."""


@contextmanager
def locked(folder: Path, needed: bool) -> Iterator[None]:
    """Keep JAX processes from writing, where they take the lock: if it is `needed` by this environment's
    settings, or was left by others'. Without it nothing is made in the folder.

    Raises `UnavailableError` if a process holds it too long, or it cannot be made.
    """
    path = folder / LOCK_NAME
    if not needed and not path.exists():
        yield
        return
    descriptor = _taken(path)
    try:
        yield
    finally:
        os.close(descriptor)


def _taken(path: Path) -> int:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise UnavailableError(f"{path} cannot be locked: {error.strerror}") from None
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still_there(path, descriptor):
                return descriptor
        os.close(descriptor)
        time.sleep(_PAUSE)
    raise UnavailableError(
        f"a JAX process has kept {path} locked for {_PATIENCE:g} s", hint="try again later"
    )


def _is_still_there(path: Path, descriptor: int) -> bool:
    """Some versions of filelock remove the file when they let go of it."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except OSError:
        return False
