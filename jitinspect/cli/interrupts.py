"""Ctrl-C while XLA compiles: write the report, if there is one, and end the process at once.

Python's own handler would wait until XLA is done, because a compilation runs no Python; and where XLA does
let go (jaxlib 0.10.2), the unwinding waits all the same, and then crashes.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from jitinspect.errors import INTERRUPTED
from jitinspect.model import Phase


class CompileInterrupts:
    """Restores the default action of SIGINT during a compilation. Only the main thread may set handlers."""

    def __init__(self) -> None:
        self._before: Any = None

    def on_start(self, phase: Phase) -> None:
        if phase == "compile" and threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, signal.SIG_DFL)

    def on_end(self) -> None:
        if self._before is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._before)
            self._before = None


@contextmanager
def ending_the_process() -> Iterator[None]:
    """Ctrl-C ends the process at once, while it waits for a device: Python's own handler would run only when
    that is done.
    """
    with _handled_by(signal.SIG_DFL):
        yield


@contextmanager
def interrupted_afterwards() -> Iterator[None]:
    """Ctrl-C takes effect at the end. In the middle of an import, an `except` of a module's own can take the
    `KeyboardInterrupt` for a module that is missing, and the process would go on.
    """
    came: list[int] = []
    with _handled_by(lambda number, frame: came.append(number)):
        yield
    if came:
        raise KeyboardInterrupt


@contextmanager
def _handled_by(handler: Any) -> Iterator[None]:
    """SIGINT goes there meanwhile; in another thread than the main one, which alone may say so, as before."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class ReportedInterrupts:
    """Calls `report` on Ctrl-C during a compilation, and ends the process.

    The main thread runs no Python until XLA is done, so another thread waits for the signal. It is not one of
    `threading`'s, so a program that counts its threads does not see it. If the program has a handler or a
    wake-up descriptor of its own, that one is used.
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
        """Send the signal to that thread during a compilation; only the main thread may ask for that."""
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
        """Stop waiting. Does not return if the signal has come: then the process ends."""
        os.write(self._writing, _END)
        self._ended.acquire()
        os.close(self._reading)
        os.close(self._writing)

    def _note(self, *_: Any) -> None:
        """Replaces Python's own handler, which would make XLA let go."""
        self._came = True

    def _wait(self) -> None:
        received = b""
        while _END not in received:
            received = os.read(self._reading, 64)
            if signal.SIGINT in received:
                self._end_process()
        self._ended.release()

    def _end_process(self) -> None:
        try:
            assert self.report is not None
            self.report(f"interrupted while compiling {self._compiled}")
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
