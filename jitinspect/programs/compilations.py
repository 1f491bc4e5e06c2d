"""What JAX does for a program, from JAX's events alone: a `Compilation` for each call that was not cached.

Nothing is patched, so cached calls cost nothing extra, and jits are seen wherever they come from
(`from jax import jit`, libraries, `pjit`).
"""

from __future__ import annotations

import _thread
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

import jax

from jitinspect.calls.comparisons import Comparisons
from jitinspect.calls.entries import Stages, is_differentiated
from jitinspect.calls.open_stages import OpenStage, OpenStages
from jitinspect.calls.reasons import stale
from jitinspect.calls.signature import CallKey, SignatureReader
from jitinspect.jaxapi.arrays.leaves import traced_dtype
from jitinspect.jaxapi.calls import events, frames, misses
from jitinspect.jaxapi.calls.bound import BoundJit, bound_jit
from jitinspect.jaxapi.calls.eager import EagerCall, eager_call
from jitinspect.jaxapi.calls.events import being_staged
from jitinspect.jaxapi.calls.pmap import PmapCall, pmap_call
from jitinspect.jaxapi.devices import is_started
from jitinspect.jaxapi.jits.facts import FunctionNumbers, JitFacts, facts
from jitinspect.jaxapi.jits.filter_jit import facts_of_filter_jit
from jitinspect.jaxapi.keys.disk_writes import DiskWrites
from jitinspect.model import Phase
from jitinspect.model.runs import Compilation, Span, WorkKind
from jitinspect.process.paths import relative
from jitinspect.process.tracebacks import message_of
from jitinspect.programs.bound import bound_reason, facts_of_bound
from jitinspect.programs.eager import eager_reason, facts_of_eager
from jitinspect.programs.pending import Explanation, Pending, compilation_of
from jitinspect.programs.pmap import facts_of_pmap, pmap_reason
from jitinspect.specs.describe import describe_call

MOST_DIFFERENCES = 16
"""Differing components that are listed for one call; if all leaves of a model change, the rest is counted."""


class Sink(Protocol):
    """Receives what happens, while the program waits: in the thread in which it happens, one at a time."""

    def on_start(self, phase: Phase, function: str, began: float) -> None:
        """A stage begins."""

    def on_compiling(self, so_far: Compilation) -> None:
        """XLA begins to compile, which may take long: all that is known so far, including the reasons."""

    def on_span(self, span: Span) -> None:
        """A stage ended."""

    def on_compilation(self, compilation: Compilation) -> None:
        """All stages of one call, or of other work, have ended."""

    def on_warning(self, text: str) -> None:
        """Something went wrong unnoticed."""


class _ThreadState(threading.local):
    """Of one thread: the stages that have begun and not ended, and by name what was traced ahead of time."""

    def __init__(self) -> None:
        self.busy = False
        self.open = OpenStages()
        self.ahead: dict[str, Pending] = {}


class CompilationWatcher:
    """`with watcher:` around the program. `is_late(name, definition)` says whether the warm-up is over,
    `modules()` whether to make a digest of each module that XLA compiles; `since` is appended to the reason
    of a first call. The watcher's own errors are kept as `fault` and never reach the program.
    """

    def __init__(
        self,
        sink: Sink,
        is_late: Callable[[str, str | None], bool] = lambda name, definition: False,
        modules: Callable[[], bool] = lambda: False,
        since: str = "",
        started: float | None = None,
    ) -> None:
        self.fault: Exception | None = None
        self.started = time.perf_counter() if started is None else started
        self._sink, self._is_late, self._modules, self._since = sink, is_late, modules, since
        self._reader, self._functions = SignatureReader(), FunctionNumbers()
        self._comparisons = Comparisons(self._reader.interner, plannable=False)
        self._count, self._cleared_at, self._looked_up = 0, 0, 0
        self._thread, self._disk = _ThreadState(), DiskWrites()
        self._lock = threading.Lock()
        self._in_progress: dict[Pending, Any] = {}
        self._finished: deque[Pending] = deque()
        self._differentiated: dict[tuple[int, str], Pending] = {}  # by thread: another may close it
        self._process = os.getpid()
        self._key = f"jitinspect {id(self)}"  # there may be several watchers, one inside another
        self._unsubscribe: Callable[[], None] = lambda: None

    def __enter__(self) -> CompilationWatcher:
        _, self._looked_up = misses.cleared_since(0, counted=False)
        self._unsubscribe = events.subscribe(
            self._guarded(self._start), self._guarded(self._end), self._guarded(self._disk_hit),
            self._guarded(self._body), self._guarded(self._disk.on_cache),
        )  # fmt: skip
        return self

    def __exit__(self, *exception: Any) -> None:
        self._unsubscribe()
        self.finish()

    def finish(self) -> None:
        """Also report work that is not known to have ended, such as a call whose exception is still held, and
        work in another thread, with the stages that it has been through so far.
        """
        self._finished.extend(self._in_progress)
        self._settle()

    def follow(self) -> None:
        """In a child that the program has forked: watch it. What is in progress is its parent's."""
        self._process, self._lock = os.getpid(), threading.Lock()
        self._in_progress.clear()
        self._finished.clear()

    @contextmanager
    def ignoring(self) -> Iterator[None]:
        """What this thread does inside is not the program's."""
        before, self._thread.busy = self._thread.busy, True
        try:
            yield
        finally:
            self._thread.busy = before

    @property
    def now(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self.started

    def _guarded(self, listener: Callable[..., None]) -> Callable[..., None]:
        """A child that the program forks goes on unwatched, unless it is followed: the report is its
        parent's. Ignored as well is
        what JAX does while the program's code runs only to read its arguments, such as in an `__eq__`.
        """
        thread = self._thread

        def guarded(*args: Any) -> None:
            if os.getpid() != self._process or thread.busy:
                return
            thread.busy = True
            try:
                listener(*args)
            except Exception as error:
                if misses.raising_signal(error) is not None:  # the program's handler happened to run here
                    raise
                self.fault = self.fault or error
            finally:
                thread.busy = False

        return guarded

    # Called for JAX's events

    def _start(self, phase: Phase, name: str) -> None:
        began, innermost = self.now, self._thread.open.innermost
        if innermost is not None and phase == "trace" and being_staged():
            pending: Pending = innermost.work
        else:
            pending = self._pending(phase, name, began)
        plain = events.plain_name(name)
        pending.stages.begin(phase, plain)
        self._thread.open.begin(OpenStage(pending, phase, name, began, id(sys.exception())))
        self._sink.on_start(phase, plain, began)
        if phase == "compile":
            self._disk.begin()
        if phase == "compile" and pending.explanation is None and len(pending.stages.under_way) == 1:
            self._compiling(pending)

    def _end(self, phase: Phase, name: str, seconds: float) -> None:
        stage = self._thread.open.end(phase, name)
        if stage is None:
            return
        pending: Pending = stage.work
        plain = events.plain_name(name)
        own, pending.ended = pending.stages.end(phase, plain, max(seconds - stage.inside, 0.0)), self.now
        self._thread.open.counted(seconds if own else stage.inside)
        error = sys.exception()
        if own and error is not None and id(error) != stage.handled:  # JAX fires the end event all the same
            pending.raised, pending.error = phase, message_of(error)[:200]
        elif own and phase == "compile":
            pending.lookups += filter(None, [self._disk.lookup(seconds)])
        internal, disk_hit = (
            pending.kind == "internal" or not own,
            phase == "compile" and pending.stages.from_disk,
        )
        depth = len(self._thread.open)
        self._sink.on_span(
            Span(phase, plain, stage.began, seconds, pending.thread, depth, internal, disk_hit)
        )

    def _compiling(self, pending: Pending) -> None:
        if self._modules():
            pending.module = misses.module()
        with self._lock:
            pending.explanation = self._explain(pending)
        self._settle()
        self._sink.on_compiling(compilation_of(pending, pending.explanation, self.now))

    def _disk_hit(self) -> None:
        self._disk.on_hit()
        if (stage := self._thread.open.innermost) is not None:
            stage.work.stages.disk_hit()

    def _body(self) -> None:
        if (stage := self._thread.open.innermost) is not None:
            stage.work.stages.body_traced()

    # Work in progress

    def _pending(self, phase: Phase, name: str, began: float) -> Pending:
        """The work that this event belongs to, as it was read at its first event."""
        work = misses.current_work()
        # one frame of JAX that is not a call may do the work of several functions
        key = self._key if work.is_one else f"{self._key} {events.plain_name(name)}"
        pending: Pending | None = misses.marked(work.frame, key)
        if pending is None or pending not in self._in_progress:
            with self._lock:
                self._look_for_clearing(phase)
                pending = self._read_safely(work, events.plain_name(name), began)
                pending.late = pending.kind != "internal" and self._is_late(
                    pending.function, pending.definition
                )
            self._in_progress[pending] = misses.mark(work.frame, key, pending, self._ended)
            self._settle()
        return pending

    def _look_for_clearing(self, phase: Phase) -> None:
        cleared, self._looked_up = misses.cleared_since(self._looked_up, counted=phase == "trace")
        if cleared:
            self._cleared_at = self._count
            self._functions.forget_facts()

    def _read_safely(self, work: misses.CurrentWork, name: str, began: float) -> Pending:
        """A call that cannot be read is still counted."""
        try:
            return self._read(work, name, began)
        except Exception as error:
            if misses.raising_signal(error) is not None:
                raise
            self._keep_fault(error)
            return Pending("call", name, None, None, None, began, Stages(name))

    def _keep_fault(self, error: Exception) -> None:
        """Keep a fault of our own. Reading and comparing arguments also runs the program's code, which may
        raise anything, and the stack may be exhausted: those are not faults.
        """
        if not isinstance(error, RecursionError) and not misses.is_from_program(error):
            self.fault = self.fault or error

    def _read(self, work: misses.CurrentWork, name: str, began: float) -> Pending:
        at = frames.caller(work.frame)
        if (eager := eager_call(work)) is not None:
            return self._eager(eager, at, began)
        if (bound := bound_jit(work)) is not None:
            return self._bound(bound, name, at, began)
        if work.call is None:
            return self._without_call(work, name, at, began)
        jit_facts, call = self._facts(work.call), work.call
        stages = Stages(jit_facts.name)
        if (mapped := pmap_call(work.frame)) is not None:
            return self._pmap(mapped, at, began, stages)
        if misses.is_jax_internal(call, jit_facts.definition):
            return Pending("internal", jit_facts.name, jit_facts.definition, at, None, began, stages)
        kind: WorkKind = "ahead_of_time" if work.ahead else "call"
        signature = describe_call(jit_facts.name, call.args, call.kwargs, traced_dtype)
        pending = Pending(kind, jit_facts.name, jit_facts.definition, at, signature, began, stages)
        pending.facts = jit_facts
        if not work.ahead or is_started():
            self._read_arguments(pending, jit_facts, call.args, call.kwargs, call.filter_jit)
        else:  # placements are read from devices, which a mere trace does not start
            pending.call, pending.unread = call, "it was traced before JAX had started its devices"
        if kind == "ahead_of_time":
            self._thread.ahead[jit_facts.name] = pending
        return pending

    def _eager(self, call: EagerCall, at: str | None, began: float) -> Pending:
        known = facts_of_eager(call, at, self._functions)
        signature = describe_call(call.name, jax.tree.map(jax.typeof, call.args), {}, traced_dtype)
        pending = Pending("eager", call.name, known.definition, at, signature, began, Stages(call.event))
        pending.reword = partial(eager_reason, call=call, known=known)
        self._read_arguments(pending, known, call.args, call.options)
        return pending

    def _pmap(self, call: PmapCall, at: str | None, began: float, stages: Stages) -> Pending:
        known = facts_of_pmap(call, self._functions)
        signature = describe_call(known.name, call.args, call.kwargs, traced_dtype)
        pending = Pending("other", known.name, known.definition, at, signature, began, stages)
        self._read_arguments(pending, known, call.args, call.kwargs)
        pending.reword = pmap_reason
        return pending

    def _bound(self, jit: BoundJit, name: str, at: str | None, began: float) -> Pending:
        stages, definition = Stages(name), jit.definition
        if definition is None or events.is_internal(definition):
            return Pending("internal", jit.name, definition, at, None, began, stages)
        known = facts_of_bound(jit, self._functions)
        forward = self._differentiated.get((threading.get_ident(), name)) if jit.is_backward else None
        signature = forward.signature if forward else describe_call(jit.name, jit.args, {}, traced_dtype)
        kind: WorkKind = "backward" if jit.is_backward else "call"
        pending = Pending(kind, jit.name, definition, at, signature, began, stages)
        self._read_arguments(pending, known, jit.args, {})
        pending.reword = partial(bound_reason, jit=jit)
        return pending

    def _without_call(self, work: misses.CurrentWork, name: str, at: str | None, began: float) -> Pending:
        """A later stage of what was traced ahead of time, the backward pass of the last call, or other work,
        of which the frames show at most the definition.
        """
        stages = Stages(name)
        differentiated = self._differentiated.get((threading.get_ident(), name))
        earlier = self._thread.ahead.get(name) if work.ahead else differentiated
        if earlier is not None:
            self._read_now(earlier)
            kind: WorkKind = "ahead_of_time" if work.ahead else "backward"
            return Pending(
                kind, name, earlier.definition, at, earlier.signature, began, stages, origin=earlier
            )
        definition = events.read_stack().definition
        kind = "internal" if definition is None or events.is_internal(definition) else "other"
        return Pending("ahead_of_time" if work.ahead else kind, name, definition, at, None, began, stages)

    def _facts(self, call: misses.MissedCall) -> JitFacts:
        if call.filter_jit is not None:
            return facts_of_filter_jit(call.filter_jit, call.jit, self._functions)
        return facts(call.jit, self._functions)

    def _read_now(self, pending: Pending) -> None:
        """What was traced before JAX had started, for later calls to be compared with."""
        if pending.call is None or pending.facts is None or not is_started():
            return
        call, pending.call = pending.call, None
        self._read_arguments(pending, pending.facts, call.args, call.kwargs, call.filter_jit)
        if pending.call_key is not None and pending.explanation is not None:
            self._comparisons.add(pending.facts, pending.call_key.signature)

    def _read_arguments(
        self,
        pending: Pending,
        jit_facts: JitFacts,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        filter_jit: Any = None,
    ) -> None:
        pending.facts = jit_facts
        pending.call_key, pending.unread = self._reader.try_to_read(jit_facts, args, kwargs, filter_jit)

    # Finished work

    def _ended(self, pending: Pending) -> None:
        """May be called at any moment, even while this very thread is closing another one."""
        self._finished.append(pending)
        self._settle()

    def _settle(self) -> None:
        """The thread that holds the lock also closes what finishes in the meantime."""
        while self._finished and self._lock.acquire(blocking=False):
            try:
                while self._finished:
                    self._close_safely(self._finished.popleft())
            finally:
                self._lock.release()

    def _close_safely(self, pending: Pending) -> None:
        """Nothing can be raised when a frame ends: if a signal handler did, its signal is sent again."""
        try:
            self._close(pending)
        except Exception as error:
            if (number := misses.raising_signal(error)) is None:
                self.fault = self.fault or error
            else:
                _thread.start_new_thread(_resend_signal, (number,))

    def _close(self, pending: Pending) -> None:
        if self._in_progress.pop(pending, None) is None:
            return
        if pending.kind == "call" and is_differentiated(pending.call_key):
            self._differentiated[pending.thread, pending.function] = pending
        self._warn_of_stale_result(pending)
        if not pending.stages.ran:
            return
        if pending.explanation is None:
            pending.explanation = self._explain(pending)
        if pending.raised is not None:
            self._comparisons.failed(pending.explanation.seq)
        self._sink.on_compilation(compilation_of(pending, pending.explanation, self.now))

    def _explain(self, pending: Pending) -> Explanation:
        """Called once for each, when it is known that a stage runs for it."""
        self._count += 1
        seq = self._count - 1
        if pending.facts is None or pending.call_key is None:
            return self._unexplained(pending, seq)
        try:
            return self._compare(pending, pending.facts, pending.call_key, seq)
        except Exception as error:
            if misses.raising_signal(error) is not None:
                raise
            self._keep_fault(error)
            pending.unread = f"{type(error).__name__} while comparing it"
            return self._unexplained(pending, seq)

    def _unexplained(self, pending: Pending, seq: int) -> Explanation:
        """Never without a reason: the same as for the work that this continues, or what was seen."""
        origin = pending.origin
        if origin is not None:
            if origin.explanation is None:
                origin.explanation = self._explain(origin)
            return replace(origin.explanation, seq=seq)
        lineage = pending.facts.lineage if pending.facts else (pending.function, pending.definition)
        seen = f"{pending.signature or pending.function}: {pending.unread}"
        return Explanation(seq, None, self._comparisons.unread(pending.function, lineage, seen))

    def _warn_of_stale_result(self, pending: Pending) -> None:
        if pending.kind != "call" or pending.call_key is None or "trace" in pending.stages.ran:
            return
        assert pending.facts is not None
        changed = self._comparisons.stale(pending.facts, pending.call_key.signature)
        for text in stale(pending.function, relative(pending.at), changed):
            self._sink.on_warning(text)

    def _compare(self, pending: Pending, jit_facts: JitFacts, call_key: CallKey, seq: int) -> Explanation:
        compared = self._comparisons.compare(jit_facts, call_key.signature, seq)
        earlier = compared.earlier
        cleared = earlier is not None and earlier.index < self._cleared_at
        reasons = self._comparisons.reasons(compared, jit_facts, cleared=cleared, most=MOST_DIFFERENCES)
        reasons = tuple(map(pending.reword, reasons))
        if self._since and earlier is None:  # it may have been called before
            reasons = (replace(reasons[0], text=f"{reasons[0].text}{self._since}"),)
        more = max(sum(1 for _ in compared.changed) - MOST_DIFFERENCES, 0)
        return Explanation(seq, compared.nearest, reasons, more)


def _resend_signal(number: int) -> None:
    time.sleep(0.001)
    os.kill(os.getpid(), number)
