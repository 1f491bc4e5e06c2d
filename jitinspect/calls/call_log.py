"""What each call did: JAX's events, each assigned to the call that caused it, and the reasons for them."""

from __future__ import annotations

import functools
import itertools
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from operator import itemgetter
from types import FrameType
from typing import Any

from jitinspect.calls.entries import (
    AheadOfTime,
    Executable,
    Explained,
    Miss,
    Row,
    describe_compiled_call,
    is_differentiated,
    raised,
    with_stage,
)
from jitinspect.calls.open_stages import OpenStage, OpenStages
from jitinspect.calls.reasons import unknown
from jitinspect.calls.slow_hits import Caller, SlowHits
from jitinspect.calls.stale_settings import StaleSettings
from jitinspect.calls.verdicts import Verdicts
from jitinspect.jaxapi.arrays.leaves import traced_dtype
from jitinspect.jaxapi.calls import events, frames, misses, proxies
from jitinspect.jaxapi.calls.eager import is_of_program
from jitinspect.jaxapi.calls.explanations import explanations
from jitinspect.jaxapi.jits.facts import facts_of_compiled
from jitinspect.model import MOST_ROWS, MOST_WARNINGS, Phase, Work
from jitinspect.process.paths import relative
from jitinspect.specs.describe import describe_call


class _ThreadState(threading.local):
    """Of one thread: the stages that have begun, the nesting depth of ahead-of-time work, whether that work
    compiled, where its calls are made, and whether functions compiled outside of any call belong to JAX.
    """

    def __init__(self) -> None:
        self.open = OpenStages()
        self.ahead = 0
        self.compiled = False
        self.muted = 0
        self.at: str | None = None
        self.last: Row | None = None
        self.is_jax_internal: dict[str, bool] = {}


def _harmless(default: Any = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A fault of the log must not break the program: it is kept and reported at the end."""

    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def guarded(self: CallLog, *args: Any) -> Any:
            try:
                return method(self, *args)
            except Exception as error:
                self.fault = self.fault or error
                return default

        return guarded

    return decorate


class CallLog:
    """A `proxies.Recorder` that also listens to JAX's events. `with call_log:` around the program.

    `log` then holds a `Row` for each call that was not simply cached, and a tuple for each that was.
    `on_row` gets each `Row` when its call ends; `on_start` and `on_end` are called for each stage.
    With `explain`, JAX's own explanations are kept as well, which is slow. With `plannable` the calls
    come from a script, so hints may mention `--plan`.
    """

    def __init__(
        self,
        on_row: Callable[[Row], None] = lambda row: None,
        on_start: Callable[[Phase, str], None] = lambda phase, name: None,
        on_end: Callable[[Phase], None] = lambda phase: None,
        most: int = MOST_ROWS,
        explain: bool = False,
        plannable: bool = False,
    ) -> None:
        self.fired = [0]
        self.clearings = 0
        self._ticks = itertools.count(1)
        self.fault: Exception | None = None
        self.log: list[Any] = []
        self.most = most
        self.folded: dict[tuple[str, str | None], int] = {}
        self.internal, self.ahead, self.unwatched = Work(), Work(), Work()
        self.warnings: dict[str, None] = {}
        self.verdicts = Verdicts(explain, plannable)
        self.kept: list[Any] | None = None
        self.offset = 0
        self._on_row, self._on_start, self._on_end, self._explain = on_row, on_start, on_end, explain
        self.slow_hits = SlowHits()
        self._misses: dict[int, Miss] = {}
        self._lookups: dict[int, frozenset[str]] = {}  # frame of a call that JAX runs in Python → its effects
        self._stages: weakref.WeakKeyDictionary[Any, AheadOfTime] = weakref.WeakKeyDictionary()
        self._thread = _ThreadState()
        self._lock = threading.RLock()
        self._stale = StaleSettings()
        self._open = ExitStack()

    def __enter__(self) -> CallLog:
        with ExitStack() as opening:
            if self._explain:
                opening.enter_context(explanations(self._jax_says))
            opening.callback(
                events.subscribe(
                    self._start, self._end, self._disk_hit, self._body, on_lookup=self._looked_up
                )
            )
            opening.enter_context(proxies.watch(self))
            opening.enter_context(self._stale)
            self._open = opening.pop_all()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._open.close()
        self.fault = self.fault or self._stale.fault

    @property
    def notes(self) -> tuple[str, ...]:
        """Warnings about settings."""
        return self._stale.notes

    @contextmanager
    def muted(self) -> Iterator[None]:
        """What runs inside does not belong to the program and is not recorded."""
        self._thread.muted += 1
        try:
            yield
        finally:
            self._thread.muted -= 1

    @contextmanager
    def called_at(self, at: str) -> Iterator[None]:
        """Report calls made inside as made at `at`, a line of a call script."""
        before, first = self._thread.at, len(self.log)
        self._thread.at = at
        try:
            yield
        finally:
            self._thread.at = before
            for position in range(first, len(self.log)):
                if not isinstance(self.log[position], Row):
                    self.log[position] = (*self.log[position][:4], at)

    # Called by the proxies

    @_harmless(0)
    def identify(self, frame: FrameType) -> Executable:
        """The executable of a cached call, by its arguments; 0 if no such call has been seen."""
        call = frames.watched_call(frame)
        with self._lock:
            jit_facts = self.verdicts.facts_of(call)
            call_key = self.verdicts.read(jit_facts, call)
            if call.filter_jit is None:  # equinox lets all functions of one name share a jit
                self.verdicts.group(jit_facts).prepare(jit_facts, self.verdicts.reader.interner)
            return self.verdicts.cached_executable(jit_facts, call_key) if call_key else 0

    @_harmless()
    def missed(self, frame: FrameType, error: BaseException | None) -> None:
        miss, effects = self._misses.pop(id(frame), None), self._lookups.pop(id(frame), None)
        passed = frame.f_locals
        watched: proxies.Watched = passed["watched"]
        if passed["times"] is not None:
            if miss is None and error is None:
                passed["times"].ended(time.perf_counter() - passed["began"])
            else:
                passed["times"].dropped()
        if miss is not None:
            ran = passed["is_eager"] and (error is None or not {*miss.stages.ran} <= {"trace"})
            with self._lock:
                self.slow_hits.compiled(miss.facts, passed["jit"])
                if ran and effects is None and self.slow_hits.knows(watched):
                    self.slow_hits.again(watched, self._caller(watched, frame), -1)
            return self._close(miss, frame, error)
        call = frames.watched_call(frame)
        if error is None:  # JAX looked it up in Python, or the event came from another thread
            return self._cached(call, frame, effects)
        jit_facts = self.verdicts.facts_of(call)
        self._close(
            Miss(jit_facts, describe_call(jit_facts.name, call.args, call.kwargs, traced_dtype)), frame, error
        )
        return None

    def _cached(self, call: frames.WatchedCall, frame: FrameType, effects: frozenset[str] | None) -> None:
        """Log a cached call as its proxy does; if there are `effects`, the fast path did not serve it."""
        watched, passed, caller = call.watched, frame.f_locals, frame.f_back or frame
        if watched.indirect or not passed["is_eager"]:
            caller = proxies.user_frame(caller)
        number = watched.executable or watched.lookup(passed["args"], passed["kwargs"])
        number = number or self.identify(frame)
        if effects is not None:
            with self._lock:
                place = self._caller(watched, frame)
                self.slow_hits.add(self.verdicts.facts_of(call), call, effects, place)
        self.log.append((watched, caller.f_code, caller.f_lasti, number))
        if len(self.log) >= self.most:
            self.fold()

    @_harmless()
    def fold(self) -> None:
        """The log is full. The first time it is kept; from then on cached calls are only counted."""
        with self._lock:
            full = self.log[: self.most]
            del self.log[: len(full)]
            self.offset += len(full)
            if self.kept is None:
                self.kept = full
                return
            rows = [entry for entry in full if type(entry) is Row]
            self.kept += rows
            cached = [entry for entry in full if type(entry) is not Row] if rows else full
            for watched, number in Counter(map(itemgetter(0), cached)).items():
                key = (watched.facts.name, watched.facts.definition)
                self.folded[key] = self.folded.get(key, 0) + number

    @_harmless()
    def cleared(self, jit: Any | None, made_after: int = 0) -> None:
        with self._lock:
            self.clearings += jit is None
            self.slow_hits.cleared(self.verdicts.clear(jit, made_after, self.offset + len(self.log)))

    @contextmanager
    def ahead_of_time(self) -> Iterator[None]:
        if self._thread.ahead == 0:
            self._thread.compiled = False
        self._thread.ahead += 1
        try:
            yield
        finally:
            self._thread.ahead -= 1

    @_harmless()
    def prepared(self, stage: Any, watched: proxies.Watched, jit: Any, args: Any, kwargs: Any) -> None:
        call = frames.WatchedCall(watched, jit, args, kwargs)
        with self._lock:
            jit_facts = self.verdicts.facts_of(call)
            origin = AheadOfTime(
                watched,
                self.verdicts.read(jit_facts, call),
                describe_call(jit_facts.name, args, kwargs, traced_dtype),
            )
            self._stages[stage] = origin

    @_harmless()
    def passed_on(self, stage: Any, following: Any) -> None:
        origin = self._stages.get(stage)
        if origin is None:
            return
        with self._lock:
            if self._thread.compiled:
                self._thread.compiled = False
                origin = replace(origin, number=self.verdicts.compiled_ahead(origin))
            elif origin.call_key is not None:
                origin = replace(
                    origin, number=self.verdicts.cached_executable(origin.watched.facts, origin.call_key)
                )
            self._stages[following] = origin

    @_harmless()
    def called_compiled(self, compiled: Any, frame: FrameType, error: BaseException | None) -> None:
        origin = self._stages.get(compiled) or self._found_compiled(compiled)
        caller = proxies.user_frame(frame.f_back or frame)
        if error is None:
            self.log.append((origin.watched, caller.f_code, caller.f_lasti, origin.number))
            if len(self.log) >= self.most:
                self.fold()
        else:
            self._close(
                Miss(origin.watched.facts, describe_compiled_call(origin.watched.facts.name, frame)),
                frame,
                error,
            )

    def _found_compiled(self, compiled: Any) -> AheadOfTime:
        """The origin of an executable that was loaded from a file, or compiled before the watch began."""
        watched = proxies.Watched(None)
        watched.facts = facts_of_compiled(compiled, self.verdicts.functions)
        with self._lock:
            number = self.verdicts.new_executable(watched.facts, None, f"{watched.facts.name}(…)")
            origin = self._stages[compiled] = AheadOfTime(watched, None, f"{watched.facts.name}(…)", number)
        return origin

    # Called for JAX's events

    @_harmless()
    def _start(self, phase: Phase, name: str) -> None:
        if self._thread.muted:
            return
        self.fired[0] = next(self._ticks)  # never the same number twice, even if threads write at once
        plain = events.plain_name(name)
        self._on_start(phase, plain)
        stage = OpenStage(None, phase, name)
        self._thread.open.begin(stage)
        stage.work = miss = self._current_miss()
        if miss is not None:
            miss.stages.begin(phase, plain)

    @_harmless()
    def _end(self, phase: Phase, name: str, seconds: float) -> None:
        if self._thread.muted:
            return None
        self._on_end(phase)
        stages = self._thread.open
        stage = stages.end(phase, name)
        own_seconds = max(seconds - stage.inside, 0.0) if stage is not None else seconds
        stages.counted(seconds)
        miss: Miss | None = stage.work if stage is not None else self._current_miss()
        if miss is None:
            with self._lock:
                return self._end_outside_call(phase, events.plain_name(name), own_seconds)
        if not miss.stages.end(phase, events.plain_name(name), own_seconds):
            with self._lock:
                self.internal = with_stage(self.internal, phase, own_seconds)
        return None

    @_harmless()
    def _body(self) -> None:
        """A call is not read here: where its trace is transformed, as for `grad`, JAX tells of a body but not
        of a stage, and tells it amid settings that are not the caller's, such as the mesh of a `shard_map`.
        """
        stage = self._thread.open.innermost
        if stage is not None and stage.work is not None and not self._thread.muted:
            stage.work.stages.body_traced()

    @_harmless()
    def _looked_up(self) -> None:
        """If the call is cached all the same, its proxy reports it when it ends: the number has changed."""
        began, frame = time.perf_counter(), misses.looked_up()
        watched = proxies.plain_call(frame) if frame is not None and not self._thread.muted else None
        if frame is None or watched is None:
            return
        if self.slow_hits.knows(watched):
            self.slow_hits.again(watched, self._caller(watched, frame))
        else:
            self.fired[0] = next(self._ticks)
            cached = id(frame) not in self._misses
            self._lookups[id(frame)] = misses.effects() if cached else frozenset()
        if watched.times is not None:
            watched.times.looked_up(time.perf_counter() - began)

    def _caller(self, watched: proxies.Watched, frame: FrameType) -> Caller:
        return self._thread.at or frames.place(watched, frame)

    @_harmless()
    def _disk_hit(self) -> None:
        miss = self._miss_in_progress()
        if miss is not None:
            miss.stages.disk_hit()

    def _end_outside_call(self, phase: Phase, name: str, seconds: float) -> None:
        """Not in a call: JAX's own work, ahead-of-time work, or the backward pass of a call under `grad`."""
        last = self._thread.last
        if self._thread.ahead:
            self.ahead = with_stage(self.ahead, phase, seconds)
            self._thread.compiled = self._thread.compiled or phase == "compile"
        elif last is not None and last.miss.facts.name == name and is_differentiated(last.miss.call_key):
            stages = last.miss.stages
            stages.ran[phase] = stages.ran.get(phase, 0.0) + seconds
            if phase == "compile":
                self.verdicts.executables += 1
                stages.compilations += 1
        elif not self._is_of_program(name):
            self.internal = with_stage(self.internal, phase, seconds)
        else:
            self.unwatched = with_stage(self.unwatched, phase, seconds)

    def _is_of_program(self, name: str) -> bool:
        """By the call; without one, by where the function is defined, which later events omit: it is
        remembered from an earlier one.
        """
        known = is_of_program(misses.current_work())
        if known is None:
            definition = events.read_stack().definition
            if definition is not None:
                self._thread.is_jax_internal[name] = events.is_internal(definition)
            return not self._thread.is_jax_internal.get(name, True)
        return known

    @_harmless()
    def _jax_says(self, text: str) -> None:
        miss = self._miss_in_progress()
        if miss is not None and len(miss.stages.under_way) == 1:
            miss.jax_says = text

    def _current_miss(self) -> Miss | None:
        """The innermost call in progress in this thread. It is read at its first event, while its arguments
        still exist: donated ones are gone when it ends.
        """
        frame = frames.proxy_frame()
        if frame is None:
            return None
        miss = self._misses.get(id(frame))
        if miss is None:
            with self._lock:
                miss = self._misses[id(frame)] = self._read_miss(frames.watched_call(frame))
        return miss

    def _miss_in_progress(self) -> Miss | None:
        """The innermost call in progress in this thread, if a stage of it has begun."""
        frame = frames.proxy_frame()
        return self._misses.get(id(frame)) if frame is not None else None

    def _read_miss(self, call: frames.WatchedCall) -> Miss:
        jit_facts = self.verdicts.facts_of(call)
        miss = Miss(
            jit_facts,
            describe_call(jit_facts.name, call.args, call.kwargs, traced_dtype),
            *self.verdicts.try_to_read(jit_facts, call),
            call.watched.made_at,
        )
        self.verdicts.begin(miss)
        return miss

    # Rows

    def _close(self, miss: Miss, frame: FrameType, error: BaseException | None) -> None:
        at = self._thread.at or frames.caller(frame)
        raised_error = raised(error, frame) if error is not None else None
        row = Row(miss, at, raised_error, threading.get_ident())
        with self._lock:
            row.index = self._append(row)
            row.explain = self.verdicts.explain(miss, row.index)
            if error is not None:
                self.verdicts.comparisons.failed(row.index)
                self.slow_hits.raised(miss.facts, miss.signature, relative(at))
            self.verdicts.end(miss, error is not None)
            if error is None and len(self.warnings) < MOST_WARNINGS:
                self.warnings.update(dict.fromkeys(self.verdicts.stale(miss, at)))
        self._thread.last = row
        self._on_row(row)

    def _append(self, row: Row) -> int:
        """The index of the row. Cached calls of other threads may be appended at any moment."""
        place = len(self.log)
        self.log.append(row)
        while self.log[place] is not row:
            place += 1
        return self.offset + place

    def explained(self, row: Row) -> Explained:
        try:
            return row.explain()
        except Exception as error:
            self.fault = self.fault or error
            return None, (unknown(f"{type(error).__name__} while comparing it with an earlier call"),)
