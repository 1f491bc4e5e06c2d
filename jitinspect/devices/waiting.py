"""A worker that waits for its task: it may be started before it is known what for."""

from __future__ import annotations

import os
import select
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass

from jitinspect.devices.lifeline import Child, start
from jitinspect.devices.quiet import FULL_DISK, quiet_environment
from jitinspect.errors import UnavailableError

_ATTEMPTS, _PAUSE = 100, 0.01
"""Times that the removal of a folder is tried, and the seconds between."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that imports JAX, and then waits for its one task; it writes to a folder of its own."""

    folder: str
    child: Child

    @classmethod
    def started(cls) -> Worker:
        """Raises `UnavailableError` where there is no place for its folder."""
        folder = _temporary_folder()
        try:
            environ = quiet_environment(os.environ, folder)
            child = start("jitinspect.devices.worker", folder, environ=environ)
            child.send(sys.path)
        except BaseException:
            _remove(folder)
            raise
        return cls(folder, child)

    def is_waiting(self) -> bool:
        """Whether it has neither ended nor been used."""
        return not select.select([self.child.answers], [], [], 0)[0]

    def end(self) -> None:
        """Nothing is left of it."""
        self.child.end()
        self.remove_folder()

    def remove_folder(self) -> None:
        _remove(self.folder)


def _remove(folder: str) -> None:
    """A process that was killed a moment ago still ends the call to the system that it is in, and may so
    write one more file, for which a removal fails half-way.
    """
    for _ in range(_ATTEMPTS):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.exists(folder):
            break
        time.sleep(_PAUSE)


def _temporary_folder() -> str:
    try:
        return tempfile.mkdtemp(prefix="jitinspect-")
    except OSError as error:
        raise UnavailableError(f"no temporary folder can be made: {error.strerror}", hint=FULL_DISK) from None
