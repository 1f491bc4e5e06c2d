"""Ctrl-C while XLA compiles: the process ends at once, where there is a report after it is written.

Python's own handler would wait until XLA is done, for a compilation has no step of Python's in it;
and where XLA does let go (jaxlib 0.10.2) the unwinding waits all the same, and then crashes.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from jitinspect.errors import INTERRUPTED
from jitinspect.model import Phase


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


class ReportedInterrupts:
    """Has `report` called when Ctrl-C comes during a compilation, and ends the process.

    The main thread has no step of Python's to take until XLA is done, so another one is waiting for the
    signal. It is none of `threading`'s: a program that counts its threads does not see it. A program with
    a handler or a wake-up descriptor of its own is left to those.
    """

    def __init__(self) -> None:
        self.report: Callable[[str], None] | None = None
        self._compiled = ""
        self._installed = False
        self._came = False
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)
        self._ended = _thread.allocate_lock()
        self._ended.acquire()
        _thread.start_new_thread(self._wait, ())

    def on_start(self, phase: Phase, function: str) -> None:
        """From the start of a compilation to its end the signal goes to that thread; only the main one may
        ask for that.
        """
        if phase != "compile" or threading.current_thread() is not threading.main_thread():
            return
        if self.report is None or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            return
        others = signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        if others != -1:
            signal.set_wakeup_fd(others)
            return
        self._compiled, self._installed = function, True
        signal.signal(signal.SIGINT, self._note)

    def on_end(self, phase: Phase) -> None:
        if self._installed and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.set_wakeup_fd(-1)
            self._installed = False
            if self._came:
                self.close()

    def close(self) -> None:
        """Be done with it. Does not return if the signal has come: then the process ends."""
        os.write(self._writing, _END)
        self._ended.acquire()
        os.close(self._reading)
        os.close(self._writing)

    def _note(self, *_: Any) -> None:
        """In the place of Python's own handler, which would have XLA let go."""
        self._came = True

    def _wait(self) -> None:
        told = b""
        while _END not in told:
            told = os.read(self._reading, 64)
            if signal.SIGINT in told:
                self._end_process()
        self._ended.release()

    def _end_process(self) -> None:
        try:
            assert self.report is not None
            self.report(f"interrupted while {self._compiled} was compiled")
        except BaseException:
            traceback.print_exc()
        finally:
            _flush(sys.stdout)
            _flush(sys.stderr)
            os._exit(INTERRUPTED)


_END = b"\0"


def _flush(stream: Any) -> None:
    with suppress(OSError, ValueError, AttributeError):
        stream.flush()
