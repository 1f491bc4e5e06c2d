"""What a program has JAX do, from JAX's events alone: a `Compilation` for each call that was no cached one.

Nothing is patched, so that a cached call costs what it costs without, and what was jitted by whomever
(`from jax import jit`, libraries, `pjit`) is seen as well.
"""

from __future__ import annotations

import _thread
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import jax

from jitinspect.calls.comparisons import Comparisons
from jitinspect.calls.entries import Stages, is_differentiated
from jitinspect.calls.signature import CallKey, SignatureReader
from jitinspect.jaxapi.arrays.leaves import traced_dtype
from jitinspect.jaxapi.calls import events, frames, misses
from jitinspect.jaxapi.calls.events import being_staged
from jitinspect.jaxapi.devices import is_started
from jitinspect.jaxapi.jits.facts import FunctionNumbers, JitFacts, facts, facts_of_function
from jitinspect.jaxapi.jits.filter_jit import facts_of_filter_jit
from jitinspect.model import Phase
from jitinspect.model.runs import Compilation, Span, WorkKind
from jitinspect.programs.pending import BODY_ANEW, Explanation, Pending, compilation_of
from jitinspect.specs.describe import describe_call

MOST_DIFFERENCES = 16
"""Components that are told of one call; of a model's leaves that all change, the number of the others."""


class Sink(Protocol):
    """Who is told, while the program waits: in the thread in which it happens, one at a time."""

    def on_start(self, phase: Phase, function: str, began: float) -> None:
        """A stage begins."""

    def on_compiling(self, so_far: Compilation) -> None:
        """XLA begins to compile, which may take long: all that is known by then, the reasons included."""

    def on_span(self, span: Span) -> None:
        """A stage came to its end."""

    def on_compilation(self, compilation: Compilation) -> None:
        """All stages of one call, or of other work, are over."""


class _Thread(threading.local):
    """Of one thread: the stages that have begun and not ended, each with the exception that was being handled
    then; and by name what was traced ahead of time.
    """

    def __init__(self) -> None:
        self.busy = False
        self.open: list[tuple[Pending, Phase, str, float, int]] = []
        self.ahead: dict[str, Pending] = {}


class CompilationWatcher:
    """`with watcher:` around the program. `is_late(name, definition)` tells that a warm-up is over;
    `modules` asks for a digest of each module that XLA is given; `since` is added to what is said of a first
    call. A fault of its own is kept as `fault`, and never becomes the program's.
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
        self._thread = _Thread()
        self._lock = threading.Lock()
        self._going: dict[Pending, Any] = {}
        self._over: deque[Pending] = deque()
        self._differentiated: dict[tuple[int, str], Pending] = {}  # by thread: another one may close it
        self._process = os.getpid()
        self._key = f"jitinspect {id(self)}"  # there may be several watchers, one within another
        self._unsubscribe: Callable[[], None] = lambda: None

    def __enter__(self) -> CompilationWatcher:
        _, self._looked_up = misses.forgotten_since(0, anew=False)
        self._unsubscribe = events.subscribe(
            self._guarded(self._start), self._guarded(self._end), self._guarded(self._disk_hit),
            self._guarded(self._body),
        )  # fmt: skip
        return self

    def __exit__(self, *exception: Any) -> None:
        self._unsubscribe()
        self.finish()

    def finish(self) -> None:
        """Tell also of what is not known to be over, such as a call whose exception is still held; what goes
        on in another thread is told as far as it has come.
        """
        self._over.extend(self._going)
        self._settle()

    @property
    def now(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self.started

    def _guarded(self, listener: Callable[..., None]) -> Callable[..., None]:
        """A child that the program forks goes on unwatched: what is told here is not its to tell. Nor is what
        JAX does for code of the program's that is run only to read its arguments, such as an `__eq__`.
        """
        thread = self._thread

        def guarded(*args: Any) -> None:
            if os.getpid() != self._process or thread.busy:
                return
            thread.busy = True
            try:
                listener(*args)
            except Exception as error:
                if (
                    misses.is_of_a_signal(error) is not None
                ):  # its handler ran here by chance, and raised for the program
                    raise
                self.fault = self.fault or error
            finally:
                thread.busy = False

        return guarded

    # What JAX's events tell

    def _start(self, phase: Phase, name: str) -> None:
        began, still_open = self.now, self._thread.open
        if still_open and phase == "trace" and being_staged():
            pending = still_open[-1][0]
        else:
            pending = self._pending(phase, name, began)
        pending.stages.begin(phase, name)
        still_open.append((pending, phase, name, began, id(sys.exception())))
        self._sink.on_start(phase, events.plain_name(name), began)
        if phase == "compile" and pending.explanation is None and len(pending.stages.under_way) == 1:
            self._compiling(pending)

    def _end(self, phase: Phase, name: str, seconds: float) -> None:
        began_here = self._ended_stage(phase, name)
        if began_here is None:
            return
        pending, began, handled = began_here
        own, pending.ended = pending.stages.end(phase, name, seconds), self.now
        error = sys.exception()
        if own and error is not None and id(error) != handled:  # JAX tells of the end all the same
            pending.raised, pending.error = phase, f"{type(error).__name__}: {error}".split("\n")[0][:200]
        internal, disk_hit = (
            pending.kind == "internal" or not own,
            phase == "compile" and pending.stages.from_disk,
        )
        depth, plain = len(self._thread.open), events.plain_name(name)
        self._sink.on_span(Span(phase, plain, began, seconds, pending.thread, depth, internal, disk_hit))

    def _ended_stage(self, phase: Phase, name: str) -> tuple[Pending, float, int] | None:
        """The innermost open stage of that kind, which is open no more; None for one that began unseen."""
        still_open = self._thread.open
        for index in range(len(still_open) - 1, -1, -1):
            pending, began_phase, began_name, began, handled = still_open[index]
            if (began_phase, began_name) == (phase, name):
                del still_open[index:]  # also what stands above, which was raised through
                return pending, began, handled
        return None

    def _compiling(self, pending: Pending) -> None:
        if self._modules():
            pending.module = misses.module()
        with self._lock:
            pending.explanation = self._explained(pending)
        self._settle()
        self._sink.on_compiling(compilation_of(pending, pending.explanation, self.now))

    def _disk_hit(self) -> None:
        if self._thread.open:
            self._thread.open[-1][0].stages.disk_hit()

    def _body(self) -> None:
        if self._thread.open:
            self._thread.open[-1][0].stages.body()

    # What is going on

    def _pending(self, phase: Phase, name: str, began: float) -> Pending:
        """What this event belongs to, as it was read at its first."""
        work = misses.work()
        # below one frame of JAX's that is no call, the work of several functions may be done
        key = self._key if work.call is not None else f"{self._key} {events.plain_name(name)}"
        pending: Pending | None = misses.marked(work.frame, key)
        if pending is None or pending not in self._going:
            with self._lock:
                self._look_for_clearing(phase)
                pending = self._read_safely(work, events.plain_name(name), began)
                pending.late = pending.kind != "internal" and self._is_late(
                    pending.function, pending.definition
                )
            self._going[pending] = misses.mark(work.frame, key, pending, self._ended)
            self._settle()
        return pending

    def _look_for_clearing(self, phase: Phase) -> None:
        cleared, self._looked_up = misses.forgotten_since(self._looked_up, anew=phase == "trace")
        if cleared:
            self._cleared_at = self._count

    def _read_safely(self, work: misses.CurrentWork, name: str, began: float) -> Pending:
        """A call that cannot be read is counted all the same."""
        try:
            return self._read(work, name, began)
        except Exception as error:
            if misses.is_of_a_signal(error) is not None:
                raise
            self._keep(error)
            return Pending("call", name, None, None, None, began, Stages(name))

    def _keep(self, error: Exception) -> None:
        """The program's own code runs where its arguments are read and compared, and may raise anything; and
        there may be no room on the stack. That is no fault.
        """
        if not isinstance(error, RecursionError) and not misses.is_of_the_program(error):
            self.fault = self.fault or error

    def _read(self, work: misses.CurrentWork, name: str, began: float) -> Pending:
        at = frames.caller(work.frame)
        if work.call is None:
            return self._without_call(work, name, at, began)
        known, call = self._facts(work.call), work.call
        stages = Stages(known.name)
        if (mapped := misses.pmapped(call.jit)) is not None:
            return Pending("other", *_told_by(mapped), at, None, began, stages)
        if (body := misses.eager_control_flow(call)) is not None:
            return self._eager(known, call, Pending("eager", known.name, body, at, None, began, stages))
        if misses.is_own(call, known.definition):
            return Pending("internal", known.name, known.definition, at, None, began, stages)
        kind: WorkKind = "ahead_of_time" if work.ahead else "call"
        signature = describe_call(known.name, call.args, call.kwargs, traced_dtype)
        pending = Pending(kind, known.name, known.definition, at, signature, began, stages)
        # placements are read of devices, which a mere trace does not start
        if not work.ahead or is_started():
            pending.facts, pending.call_key = known, self._call_key(known, call)
        if kind == "ahead_of_time":
            self._thread.ahead[known.name] = pending
        return pending

    def _eager(self, known: JitFacts, call: misses.MissedCall, pending: Pending) -> Pending:
        """A loop or branch outside of a jit: JAX makes a function for each body that it traced."""
        kind = ("eager", known.name, pending.definition)
        number = self._functions.equal(kind)
        pending.facts = replace(known, lineage=kind, function=number, group=kind, fast=kind, closure=())
        pending.call_key = self._call_key(pending.facts, call)
        pending.signature = describe_call(known.name, map(jax.typeof, call.args), call.kwargs, traced_dtype)
        return pending

    def _without_call(self, work: misses.CurrentWork, name: str, at: str | None, began: float) -> Pending:
        """A later stage of what was traced ahead of time, the backward pass of the last call, or other work
        of which the frames tell the definition at most.
        """
        stages = Stages(name)
        differentiated = self._differentiated.get((threading.get_ident(), name))
        earlier = self._thread.ahead.get(name) if work.ahead else differentiated
        if earlier is not None:
            kind: WorkKind = "ahead_of_time" if work.ahead else "backward"
            return Pending(kind, name, earlier.definition, at, earlier.signature, began, stages)
        definition = events.sight().definition
        kind = "internal" if definition is None or events.is_internal(definition) else "other"
        return Pending("ahead_of_time" if work.ahead else kind, name, definition, at, None, began, stages)

    def _facts(self, call: misses.MissedCall) -> JitFacts:
        if call.filter_jit is not None:
            return facts_of_filter_jit(call.filter_jit, call.jit, self._functions)
        return facts(call.jit, self._functions)

    def _call_key(self, known: JitFacts, call: misses.MissedCall) -> CallKey | None:
        """None where an argument is nothing that JAX takes: then the call fails."""
        try:
            return self._reader.read(known, call.args, call.kwargs, call.filter_jit)
        except (TypeError, OverflowError, ValueError):
            return None

    # What is over

    def _ended(self, pending: Pending) -> None:
        """May be called at any moment, also while this very thread is closing another one."""
        self._over.append(pending)
        self._settle()

    def _settle(self) -> None:
        """Whoever has the lock settles what has come in the meantime, too."""
        while self._over and self._lock.acquire(blocking=False):
            try:
                while self._over:
                    self._close_safely(self._over.popleft())
            finally:
                self._lock.release()

    def _close_safely(self, pending: Pending) -> None:
        """Where a frame ends nothing can be raised: a signal whose handler did comes once more, later."""
        try:
            self._close(pending)
        except Exception as error:
            if (number := misses.is_of_a_signal(error)) is None:
                self.fault = self.fault or error
            else:
                _thread.start_new_thread(_send_again, (number,))

    def _close(self, pending: Pending) -> None:
        if self._going.pop(pending, None) is None:
            return
        if pending.kind == "call" and is_differentiated(pending.call_key):
            self._differentiated[pending.thread, pending.function] = pending
        if not pending.stages.ran:
            return
        if pending.explanation is None:
            pending.explanation = self._explained(pending)
        if pending.raised is not None:
            self._comparisons.failed(pending.explanation.seq)
        self._sink.on_compilation(compilation_of(pending, pending.explanation, self.now))

    def _explained(self, pending: Pending) -> Explanation:
        """To be asked once for each, when it is known that something will be done for it."""
        self._count += 1
        seq = self._count - 1
        if pending.facts is None or pending.call_key is None:
            return Explanation(seq)
        try:
            return self._compared(pending, pending.facts, pending.call_key, seq)
        except Exception as error:
            if misses.is_of_a_signal(error) is not None:
                raise
            self._keep(error)
            return Explanation(seq)

    def _compared(self, pending: Pending, known: JitFacts, call_key: CallKey, seq: int) -> Explanation:
        compared = self._comparisons.compare(known, call_key.signature, seq)
        earlier = compared.earlier
        cleared = earlier is not None and earlier.index < self._cleared_at
        reasons = self._comparisons.reasons(compared, known, cleared=cleared, most=MOST_DIFFERENCES)
        if pending.kind == "eager" and reasons[0].kind == "unknown":
            reasons = (BODY_ANEW,)
        if self._since and earlier is None:  # it may have been called before
            reasons = (replace(reasons[0], text=f"{reasons[0].text}{self._since}"),)
        more = max(compared.differing - MOST_DIFFERENCES, 0)
        return Explanation(seq, compared.nearest, reasons, more)


def _send_again(number: int) -> None:
    time.sleep(0.001)
    os.kill(os.getpid(), number)


def _told_by(fun: Any) -> tuple[str, str | None]:
    """Name and definition."""
    return getattr(fun, "__name__", type(fun).__name__), facts_of_function(fun)["definition"]
