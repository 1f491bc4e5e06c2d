"""Cached calls that jit's fast path does not serve, in a program whose calls are counted."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from jitinspect.calls.slow_hits import SlowHits
from jitinspect.jaxapi.arrays.leaves import traced_dtype
from jitinspect.jaxapi.calls import events, frames, misses
from jitinspect.jaxapi.calls.counting import COUNTING_CODE
from jitinspect.jaxapi.calls.guarded import Guarded
from jitinspect.jaxapi.calls.proxies import plain_call
from jitinspect.jaxapi.jits.facts import FunctionNumbers, JitFacts, facts
from jitinspect.jaxapi.jits.filter_jit import facts_of_filter_jit
from jitinspect.model import Phase, SlowCalls
from jitinspect.process.paths import relative
from jitinspect.specs.describe import describe_call


class SlowCallRecorder(Guarded):
    """A `counting.CountingRecorder`. `with recorder:` around the program."""

    def __init__(self) -> None:
        self.fired = [0]
        self.clearings = 0
        super().__init__()
        self._ticks = itertools.count(1)
        self._slow, self._functions = SlowHits(), FunctionNumbers()
        self._began: dict[int, set[Phase]] = {}  # frames of calls for which JAX does something → the stages
        self._lookups: dict[
            int, frozenset[str]
        ] = {}  # frames of calls that it runs in Python → their effects
        self._lock = threading.RLock()
        self._unsubscribe: Callable[[], None] = lambda: None

    def __enter__(self) -> SlowCallRecorder:
        self._unsubscribe = events.subscribe(
            self._harmless(self._start), on_lookup=self._harmless(self._looked_up)
        )
        return self

    def __exit__(self, *exception: Any) -> None:
        self._unsubscribe()

    def slow_calls(self) -> tuple[SlowCalls, ...]:
        """Those of each function so far."""
        with self._lock:
            return self._slow.slow_calls()

    def ended(self, frame: FrameType, error: BaseException | None) -> None:
        self._harmless(self._ended)(frame, error)

    def cleared(self, jit: Any | None, made_after: int = 0) -> None:
        self._harmless(self._cleared)(jit, made_after)

    def _start(self, phase: Phase, name: str) -> None:
        if (frame := frames.proxy_frame(COUNTING_CODE)) is not None:
            self.fired[0] = next(self._ticks)
            self._began.setdefault(id(frame), set()).add(phase)

    def _looked_up(self) -> None:
        began, frame = time.perf_counter(), misses.looked_up()
        watched = plain_call(frame, COUNTING_CODE) if frame is not None else None
        if frame is None or watched is None:
            return
        if self._slow.knows(watched):
            self._slow.again(watched, frames.place(watched, frame))
        else:
            self.fired[0] = next(self._ticks)
            self._lookups[id(frame)] = misses.effects()
        if watched.times is not None:
            watched.times.looked_up(time.perf_counter() - began)

    def _ended(self, frame: FrameType, error: BaseException | None) -> None:
        passed, began = frame.f_locals, self._began.pop(id(frame), None)
        effects = self._lookups.pop(id(frame), None)
        cached = began is None and error is None
        if (times := passed["times"]) is not None:
            took = time.perf_counter() - passed["began"]
            times.ended(took) if cached and effects is not None else times.dropped()
        with self._lock:
            call = frames.watched_call(frame)
            if error is not None:
                self._raised(call, frames.caller(frame))
            if cached and effects is not None:
                self._slow.add(self._facts(call), call, effects, frames.place(call.watched, frame))
            elif not cached:
                self._slow.compiled(self._facts(call), call.jit)
            looked_up = passed["is_eager"] and not (error is not None and (began or set()) <= {"trace"})
            if not cached and looked_up and effects is None and self._slow.knows(call.watched):
                self._slow.again(call.watched, frames.place(call.watched, frame), -1)

    def _raised(self, call: frames.WatchedCall, at: str | None) -> None:
        jit_facts = self._facts(call)
        signature = describe_call(jit_facts.name, call.args, call.kwargs, traced_dtype)
        self._slow.raised(jit_facts, signature, relative(at))

    def _facts(self, call: frames.WatchedCall) -> JitFacts:
        watched = call.watched
        known: JitFacts | None = watched.facts
        if call.filter_jit is not None:
            known = facts_of_filter_jit(call.filter_jit, call.jit, self._functions, watched.made_after)
        elif known is None or known.read != self._functions.times_forgotten:
            known = facts(call.jit, self._functions, watched.made_after)
        watched.facts = known
        return known

    def _cleared(self, jit: Any | None, made_after: int) -> None:
        with self._lock:
            self.clearings += jit is None
            self._functions.forget_facts()
            cleared = None if jit is None else facts(jit, self._functions, made_after)
            self._slow.cleared(cleared)
