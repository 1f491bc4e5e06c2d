"""A recording of a whole program, made in pieces, so that it stays small and costs little.

A recording ends in XLA turning its events into an `XSpace`, which takes longer than to run the smallest
operations: 3 to 5 µs of the processor for each event, of which an operation has two (0.10.2 and 0.12.0.1). So
a program is recorded without a pause as long as that costs little; where it runs a great many small
operations, only some of the time is, and each piece stands for the pause after it too.

An operation that runs while a piece ends is in neither piece.
"""

from __future__ import annotations

import _thread
import math
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from typing import Any

from jitinspect.errors import UnavailableError
from jitinspect.ir.xspace import event_bytes
from jitinspect.jaxapi.devices import is_started
from jitinspect.jaxapi.traces.own_profiles import is_serving, told_of_own_profiles
from jitinspect.jaxapi.traces.recording import Session, is_blind, why_not
from jitinspect.process.memory import resident_bytes

_SHARE, _AT_ONCE = 0.03, 0.16
"""The part of the program's time that recording it may take, and the seconds that it may take anyhow."""
_PER_BYTE = 2.5e-7
"""Seconds that it takes to record a byte, and later to read it: an event has about 60."""
_SHORTEST, _LONGEST = 0.05, 10.0
"""Seconds of a piece."""
_LARGEST = 1 << 19
"""Bytes that a piece should not exceed."""
_GROWTH = 8 << 20
"""Bytes by which the process may grow in a piece, beyond what it ever was: an event takes some 250 until the
piece ends, and nothing counts them.
"""
_MOST_KEPT = 64 << 20
"""Bytes that are kept until the program ends."""
_TICK = 0.02
_STARTING = 1.0
"""Seconds in which a server starts."""
_MOMENT = 0.002
"""Seconds: a shorter pause is none."""

PROFILED_ITSELF = "the program made a profile itself"
SERVES = "the program has a server for remote profiles"


@dataclass(slots=True)
class Piece:
    """`weight` is how many seconds of the program each second of it stands for; `began` and `ended` are in
    the time of `time.perf_counter()`.
    """

    xspace: bytes
    began: float
    ended: float
    weight: float = 1.0

    @property
    def seconds(self) -> float:
        return self.ended - self.began


class PieceRecorder:
    """Records from `start` to `stop`, into `pieces`; of a long program `fold` is given the first ones before.
    `count` is how many there were; `has_paused` is whether they stand for more than their `recorded_seconds`.
    While the program makes a profile itself, it is not recorded: `lost` has the seconds by reason. `failure`
    is what else went wrong.
    """

    def __init__(self, fold: Callable[[Piece], None]) -> None:
        self.pieces: list[Piece] = []
        self.recorded_seconds = 0.0
        self._fold = fold
        self.lost: dict[str, float] = {}
        self.failure: Exception | None = None
        self.started = self.ended = 0.0
        self.has_paused = False
        self.count = 0
        self._lock = _thread.allocate_lock()
        self._ending, self._has_ended = _thread.allocate_lock(), _thread.allocate_lock()
        self._open = ExitStack()
        self._class: Any = None
        self._session: Session | None = None
        self._has_backend = False
        self._own = 0
        self._away: tuple[float, str] | None = None
        self._began = self._resume_at = self._spent = 0.0
        self._size = self._process = 0
        self._served_at = -math.inf
        self._forking = self._forked = 0.0
        self._length = _LONGEST if resident_bytes() else _SHORTEST

    def start(self) -> None:
        """Raises `UnavailableError` if nothing can be recorded."""
        if why := why_not():
            raise UnavailableError(why)
        self._process, self._has_backend = os.getpid(), is_started()
        self._class = self._open.enter_context(
            told_of_own_profiles(self._give_way, self._come_back, self._serve)
        )
        _register_at_fork()
        _UNDER_WAY.append(self)
        self._ending.acquire()
        self._has_ended.acquire()
        self.started = time.perf_counter()
        self._begin()
        _thread.start_new_thread(self._watch, ())  # which threading.enumerate() does not list

    def stop(self) -> None:
        """End the recording. Nothing happens the second time, or in a process that the program forked."""
        if self.ended or os.getpid() != self._process:
            return
        now = time.perf_counter()
        self._ending.release()
        self._has_ended.acquire()
        with self._lock:
            self._end()
            self._settle(now)
            self.ended = now
        self._open.close()
        _UNDER_WAY.remove(self)

    # Under the lock

    def _begin(self, waits_since: float | None = None) -> None:
        """`waits_since` is when the program began to wait for this, if it does: then the pause had ended."""
        self._session, self._began = Session(self._class), time.perf_counter()
        self._settle(self._began if waits_since is None else waits_since)
        self._size = max(self._size, resident_bytes())

    def _end(self) -> None:
        """End the piece, and plan when the next one begins, and how long that is."""
        if self._session is None:
            return
        session, self._session = self._session, None
        ended, used = time.perf_counter(), time.thread_time()
        try:
            piece = Piece(session.stop(), self._began, ended)
        except UnavailableError as error:
            self.failure = self.failure or error
            return
        self.pieces.append(piece)
        self.count += 1
        self.recorded_seconds += piece.seconds
        size = event_bytes(piece.xspace)
        self._spent += time.thread_time() - used + size * _PER_BYTE
        self._resume_at = self.started + (self._spent - _AT_ONCE) / _SHARE
        longest = _LONGEST if self._size else min(2 * piece.seconds, _LONGEST)
        self._length = max(_SHORTEST, min(longest, piece.seconds * _LARGEST / max(size, 1)))

    def _settle(self, now: float) -> None:
        """The last piece stands for the pause until now, unless that was none of ours."""
        if self._away is not None:
            since, why = self._away
            self.lost[why] = self.lost.get(why, 0.0) + now - since
            self._away = None
        elif self.pieces:
            piece = self.pieces[-1]
            pause = now - piece.ended - self._forked
            if pause > _MOMENT:
                piece.weight = 1 + pause / max(piece.seconds, _MOMENT)
                self.has_paused = True
        self._forked = 0.0

    # In the program's own threads

    def _give_way(self) -> None:
        with self._lock:
            self._own += 1
            self._stay_away(PROFILED_ITSELF)

    def _come_back(self) -> None:
        with self._lock:
            self._own -= 1
            self._go_on(time.perf_counter(), is_waited_for=True)

    def _serve(self) -> None:
        with self._lock:
            self._served_at = time.perf_counter()
            self._stay_away(SERVES)

    def before_fork(self) -> None:
        """A child must not go on recording: what it records would never be fetched. The program waits while
        the piece ends.
        """
        self._lock.acquire()
        self._forking = time.perf_counter()
        self._end()

    def after_fork(self) -> None:
        """In the parent."""
        now = time.perf_counter()
        self._forked += now - self._forking
        self._go_on(now, is_waited_for=True)
        self._lock.release()

    # In a thread of its own

    def _watch(self) -> None:
        try:
            while not self._ending.acquire(timeout=_TICK):
                with self._lock:
                    self._tick(time.perf_counter())
                self._fold_some()
        except Exception as error:
            self.failure = self.failure or error
        finally:
            self._has_ended.release()

    def _fold_some(self) -> None:
        """All but the last, whose weight is not known yet."""
        while len(self.pieces) > 1 and sum(len(piece.xspace) for piece in self.pieces) > _MOST_KEPT:
            self._fold(self.pieces.pop(0))

    def _tick(self, now: float) -> None:
        if self._session is not None and self._is_enough(now):
            self._end()
        if not self._has_backend and is_started():
            self._has_backend = True
            if is_blind():
                self._end()
                self._resume_at = 0.0
        self._go_on(now)

    def _is_enough(self, now: float) -> bool:
        """Also where the process has grown: perhaps by events."""
        seconds, size = now - self._began, resident_bytes()
        has_grown = size > self._size + _GROWTH
        return seconds >= self._length or (has_grown and seconds >= _SHORTEST)

    def _go_on(self, now: float, is_waited_for: bool = False) -> None:
        serves = is_serving() or now - self._served_at < _STARTING
        if self._own == 0 and self._session is None and now >= self._resume_at and not serves:
            self._begin(now if is_waited_for else None)

    def _stay_away(self, why: str) -> None:
        """Not to record until the next beginning, for a reason of the program's, which waits while the piece
        ends: that is no pause of which it stands for a part.
        """
        now = time.perf_counter()
        self._end()
        if self._away is None:
            self._settle(now)
            self._away = (time.perf_counter(), why)


_UNDER_WAY: list[PieceRecorder] = []


@cache
def _register_at_fork() -> None:
    """Once: it cannot be undone."""
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_UNDER_WAY.clear)


def _before_fork() -> None:
    for one in _UNDER_WAY:
        one.before_fork()


def _after_fork() -> None:
    for one in _UNDER_WAY:
        one.after_fork()
