"""Ctrl-C while XLA compiles.

Python runs its signal handlers between two steps of Python code, of which a compilation, all C++,
has none: without this, Ctrl-C would wait until XLA is done.
"""

from __future__ import annotations

import os
import signal
import threading
import time

INTERRUPTED = 130
GRACE = 1.0
"""Seconds that Python has to end by itself, with what there is to clean up."""


def end_on_interrupt() -> None:
    """From now on SIGINT ends the process after `GRACE` seconds at the latest, quietly."""
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(readable,), daemon=True).start()


def _watch(readable: int) -> None:
    while signal.SIGINT not in os.read(readable, 64):
        pass
    time.sleep(GRACE)
    os._exit(INTERRUPTED)
