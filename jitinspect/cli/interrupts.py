"""Ctrl-C while XLA compiles: the process ends at once.

Python's own handler would wait until XLA is done, for a compilation has no step of Python's in it;
and where XLA does let go (jaxlib 0.10.2) the unwinding waits all the same, and then crashes.
"""

from __future__ import annotations

import signal
import threading
from typing import Any

from jitinspect.model import Phase

INTERRUPTED = 130


class CompileInterrupts:
    """Leaves SIGINT to the system from the start of a compilation to its end; only the main thread may."""

    def __init__(self) -> None:
        self._before: Any = None

    def on_start(self, phase: Phase) -> None:
        if phase == "compile" and threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, signal.SIG_DFL)

    def on_end(self) -> None:
        if self._before is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._before)
            self._before = None
