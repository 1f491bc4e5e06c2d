"""Where the time of a thread goes: its Python stack, looked at every millisecond.

A timer's signal (`SIGALRM`) asks for it, which Python handles in the main thread between two bytecodes: no
other thread is woken, and none waits for the interpreter. Where the program uses that signal or timer, and
for a thread that is not the main one, another thread does it, at a higher cost.

A sample has the time since the one before it, so that all of the time is given out: a call that runs no
Python, during which no handler runs, is charged to the line that made it.
"""

from __future__ import annotations

import _thread
import math
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any, NamedTuple

from jitinspect.process.code_lines import line_at

INTERVAL = 0.001
"""Seconds from one sample to the next, at least."""
_MOST_COST = 0.02
"""Which part of the time is spent on samples, at most: where stacks are deep, they are taken less often. The
program loses about as much again, in what the processor forgets meanwhile.
"""
_LONGEST = 0.1
"""Seconds that the cost of samples may put off the next."""
_MANY = 10_000
"""After so many intervals they grow with the time, so that an hour has not more stacks than fit in memory."""

Note = Callable[[FrameType], Any]
NoteOf = Callable[[CodeType], Note | None]
"""What to note, besides the line, of each frame of a code object: something hashable. None for nothing."""


class Site(NamedTuple):
    """A frame of a sample: where it was, and what was noted of it."""

    code: CodeType
    line: int
    note: Any


class Samples:
    """What was seen; complete once the `with` has ended.

    `seconds` passed in all: `own_seconds` of them were spent on `count` samples, and `last_seconds` passed
    after the last one. `by` is "signal" or "thread". `was_cut` is whether the program took the signal for
    itself, after which no sample came: all that time counts as after the last one.
    """

    def __init__(self, note_of: NoteOf, by: str) -> None:
        self.by = by
        self.count = 0
        self.was_cut = False
        self.seconds = self.own_seconds = self.last_seconds = 0.0
        self._note_of = note_of
        self._codes: dict[int, CodeType] = {}
        self._notes: dict[int, Note | None] = {}
        self._sites: dict[tuple[int, int, Any], int] = {}
        self._stacks: dict[tuple[int, ...], float] = {}
        self._began = self._last = time.perf_counter()
        self._cost_before = math.inf

    @classmethod
    def none(cls) -> Samples:
        """Those of no time at all."""
        samples = cls(lambda code: None, "signal")
        samples.seconds = 0.0
        return samples

    def stacks(self) -> Iterator[tuple[tuple[Site, ...], float]]:
        """Each stack that was seen, innermost frame first, and the seconds spent there; no stack twice."""
        sites = [self._site(*site) for site in self._sites]
        for stack, seconds in self._stacks.items():
            yield tuple(sites[number] for number in stack), seconds

    def _site(self, code_number: int, instruction: int, note: Any) -> Site:
        code = self._codes[code_number]
        return Site(code, line_at(code, instruction) or code.co_firstlineno, note)

    def take(self, frame: FrameType | None, outside: FrameType) -> float:
        """One sample, of the frames inside of `outside`. Returns the seconds until the next one.

        What it costs is CPU time: on a busy machine a sample may wait, as the program may. One that costs
        more than the one before puts nothing off: Python's garbage collector may have run.
        """
        now, began = time.perf_counter(), time.thread_time()
        stack = self._stack(frame, outside)
        self._stacks[stack] = self._stacks.get(stack, 0.0) + now - self._last
        self.count += 1
        cost = time.thread_time() - began
        usual, self._cost_before = min(cost, self._cost_before), cost
        self.own_seconds += cost
        self._last = now + cost
        return max(INTERVAL, min(usual / _MOST_COST, _LONGEST), (now - self._began) / _MANY)

    def end(self) -> None:
        now = time.perf_counter()
        self.seconds, self.last_seconds = now - self._began, now - self._last

    def _stack(self, frame: FrameType | None, outside: FrameType) -> tuple[int, ...]:
        """The numbers of its sites. A site is known by the `id` of its code and by its instruction: to hash
        code and to decode its lines takes longer than all the rest.
        """
        numbers = []
        notes, sites = self._notes, self._sites
        while frame is not None and frame is not outside:
            code_number = id(frame.f_code)
            if code_number not in notes:
                self._meet(frame.f_code)
            note = notes[code_number]
            site = (code_number, frame.f_lasti, note and note(frame))
            number = sites.get(site)
            if number is None:
                number = sites[site] = len(sites)
            numbers.append(number)
            frame = frame.f_back
        return tuple(numbers)

    def _meet(self, code: CodeType) -> None:
        """Keeps the code alive, so that its `id` stays its own."""
        self._codes[id(code)] = code
        self._notes[id(code)] = self._note_of(code)


@contextmanager
def sampled(note_of: NoteOf = lambda code: None) -> Iterator[Samples]:
    """Samples the calling thread inside the `with`."""
    outside = sys._getframe(2)  # noqa: SLF001 (documented)
    samples = Samples(note_of, "signal" if _signal_is_free() else "thread")
    sampler = (_Alarm if samples.by == "signal" else _Watcher)(samples, outside)
    try:
        yield samples
    finally:
        sampler.stop()
        samples.end()


def _signal_is_free() -> bool:
    """Whether a handler may be set here, and the program has neither one of its own nor a timer."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        return False
    handlers = (signal.SIG_DFL, signal.SIG_IGN)
    return signal.getsignal(signal.SIGALRM) in handlers and signal.getitimer(signal.ITIMER_REAL)[0] == 0


class _Alarm:
    """Samples when a timer says so, which is set anew after each sample: they never pile up.

    System calls that the signal interrupts are restarted (`siginterrupt`), for the sake of code that does not
    expect it.
    """

    def __init__(self, samples: Samples, outside: FrameType) -> None:
        self._samples, self._outside = samples, outside
        self._is_on = True
        self._handler = self._handle
        self._before = signal.signal(signal.SIGALRM, self._handler)
        signal.siginterrupt(signal.SIGALRM, False)
        signal.setitimer(signal.ITIMER_REAL, INTERVAL)

    def _handle(self, _: int, frame: FrameType | None) -> None:
        pause = INTERVAL
        try:
            if self._is_on:
                pause = self._samples.take(frame, self._outside)
        finally:
            if self._is_on:
                signal.setitimer(signal.ITIMER_REAL, pause)

    def stop(self) -> None:
        """The default action of a signal that is still under way would end the process; to ignore it first
        drops it. A handler that the program has set meanwhile stays, with its timer.
        """
        self._is_on = False
        self._samples.was_cut = signal.getsignal(signal.SIGALRM) is not self._handler
        if not self._samples.was_cut:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_IGN)
            signal.signal(signal.SIGALRM, self._before)


class _Watcher:
    """Samples from another thread, which is not one of `threading`'s: the program may count those."""

    def __init__(self, samples: Samples, outside: FrameType) -> None:
        self._samples, self._outside = samples, outside
        self._watched = threading.get_ident()
        self._stopped, self._ended = _thread.allocate_lock(), _thread.allocate_lock()
        self._stopped.acquire()
        self._ended.acquire()
        _thread.start_new_thread(self._watch, ())

    def _watch(self) -> None:
        pause = INTERVAL
        while not self._stopped.acquire(timeout=pause):
            pause = self._look()
        self._ended.release()

    def _look(self) -> float:
        frames = sys._current_frames()  # noqa: SLF001 (documented)
        return self._samples.take(frames.get(self._watched), self._outside)

    def stop(self) -> None:
        self._stopped.release()
        self._ended.acquire()
