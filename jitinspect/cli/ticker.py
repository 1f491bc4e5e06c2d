"""Tells once a second how long something takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Ticker:
    """Between `start` and `stop`, calls `tick` with the seconds since the start, every second, in a thread of
    its own.
    """

    def __init__(self, tick: Callable[[float], None], every: float = 1.0) -> None:
        self._tick = tick
        self._every = every
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Anew, if it has been started before."""
        self.stop()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(self._stopped,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Returns when `tick` is no longer called. Does nothing if it is not running."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self, stopped: threading.Event) -> None:
        began = time.monotonic()
        while not stopped.wait(self._every):
            self._tick(time.monotonic() - began)
