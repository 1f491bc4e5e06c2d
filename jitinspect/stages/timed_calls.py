"""A jitted function called again and again, without JAX's profiler and under it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

import jax

from jitinspect.errors import JitinspectError, UserFunctionError
from jitinspect.ir.program_runs import ProgramRun, program_runs
from jitinspect.jaxapi.arrays.sample_values import arrays_in, copies, deleted_in, with_values
from jitinspect.jaxapi.traces.events import tracks
from jitinspect.jaxapi.traces.programs import hlo_text, programs
from jitinspect.jaxapi.traces.recording import recorded
from jitinspect.process import garbage_collection
from jitinspect.process.tracebacks import message_of, traceback_in, user_traceback
from jitinspect.stages.inspection import Subject

LEAST, MOST = 3, 100
"""Calls, unless a number is asked for."""
_BUDGET_SECONDS = 1.0
_BUDGET_EVENTS = 150_000
"""Of all recorded calls: reading that many takes about two seconds."""
_ENDING = 0.02
"""Seconds after the last call: its operations' ends may be recorded after its results are there."""
_MARK = "jitinspect: a call"

OnRun = Callable[[], AbstractContextManager[None]]
OnCalls = Callable[[int, float], None]


@dataclass(frozen=True, slots=True)
class TimedCall:
    """One call: `wall_seconds` by the process's own clock, until its results were ready; from `start` to
    `end` on the recording's clock.
    """

    wall_seconds: float
    start: float
    end: float

    def of(self, runs: Iterable[ProgramRun]) -> list[ProgramRun]:
        """Those that began in it."""
        return [run for run in runs if self.start <= run.start <= self.end]


@dataclass(frozen=True, slots=True)
class TimedCalls:
    """The recorded calls in their order, and the runs of programs in them, after `warm_up` other calls.
    `values` says what made arrays hold, by kind of number. `bare_seconds` are what as many calls took just
    before without the profiler; none if they are slow.
    """

    calls: list[TimedCall]
    runs: list[ProgramRun]
    xspace: bytes
    values: Mapping[str, str] = field(default_factory=dict)
    warm_up: int = 0
    bare_seconds: Sequence[float] = ()

    @property
    def overhead(self) -> float | None:
        """How many times as long a call took under the profiler, by the medians; None if that was not
        measured.

        More than events cost: their memory is of the heap that results come from, which the allocator may
        then give back to the system after each call, to be zeroed anew in the next (seen with glibc).
        """
        if not self.bare_seconds:
            return None
        return median(call.wall_seconds for call in self.calls) / median(self.bare_seconds)

    def without_overhead(self) -> TimedCalls:
        """The same with calls that take as long as those without the profiler: the fastest as long as the
        fastest, and so on. Within a call, all times keep their ratios.
        """
        if not self.bare_seconds:
            return self
        in_order = sorted(self.calls, key=lambda call: call.wall_seconds)
        walls = dict(zip(in_order, sorted(self.bare_seconds), strict=True))
        room = max(1.0, *(wall / call.wall_seconds for call, wall in walls.items()))
        calls, runs = [], []
        for call in self.calls:
            clock = _Clock(call.start, call.start * room, walls[call] / call.wall_seconds)
            calls.append(TimedCall(walls[call], clock(call.start), clock(call.end)))
            runs += [clock.of(run) for run in call.of(self.runs)]
        return replace(self, calls=calls, runs=runs, bare_seconds=())

    def text_of(self, program: int) -> str | None:
        """The optimized HLO of the program of that number; None if the recording does not hold it."""
        module = programs(self.xspace).get(program)
        return None if module is None else hlo_text(module)


@dataclass(frozen=True, slots=True)
class _Clock:
    """One that goes `rate` times as fast as the recording's, and shows `start` when that shows `began`."""

    began: float
    start: float
    rate: float

    def __call__(self, seconds: float) -> float:
        return self.start + (seconds - self.began) * self.rate

    def of(self, run: ProgramRun) -> ProgramRun:
        executions = [
            one._replace(start=self(one.start), end=self(one.end), recorded=self(one.recorded))
            for one in run.executions
        ]
        return replace(run, executions=executions)


def timed_calls(
    subject: Subject,
    count: int | None = None,
    on_run: OnRun = nullcontext,
    on_calls: OnCalls = lambda count, seconds: None,
) -> TimedCalls:
    """Calls the function: first to compile it and to see how long it takes, then once more unless it is slow,
    then `count` times, or as often as takes about a second, and as many times again under the profiler; only
    that if it is slow.

    `on_run` is entered around what cannot be interrupted, `on_calls` is told how many calls come and what one
    takes. Raises `UserFunctionError` for what the function raises, `UnavailableError` if nothing can be
    recorded.
    """
    _ = subject.pipeline.traced  # whose errors say more than those of a call
    with subject.muted():
        call, values = with_values(subject.call)
    function = _Function(subject, call)
    first = function.recorded_calls(1, on_run)
    seconds, warm_up = _running_seconds(first.runs), 1
    is_slow = seconds >= _BUDGET_SECONDS
    if not is_slow:  # the first one may have been slower than others
        (seconds,), warm_up = function.walls(1, on_run), 2
    chosen = count or _fitting(seconds, sum(len(run.executions) for run in first.runs))
    bare = 0 if is_slow else chosen
    on_calls(bare + chosen, seconds)
    walls = function.walls(bare, on_run)
    timed = function.recorded_calls(chosen, on_run)
    return replace(timed, values=values, warm_up=warm_up, bare_seconds=walls)


def _running_seconds(runs: Sequence[ProgramRun]) -> float:
    """From the first operation to the last."""
    return max((run.end for run in runs), default=0.0) - min((run.start for run in runs), default=0.0)


def _fitting(seconds: float, executions: int) -> int:
    by_time = _BUDGET_SECONDS / seconds if seconds else MOST
    by_events = _BUDGET_EVENTS / (2 * executions) if executions else MOST
    return max(LEAST, min(MOST, int(by_time), int(by_events)))


class _Function:
    """The function with its arguments. Those that it donates are copied for each call."""

    def __init__(self, subject: Subject, call: Any) -> None:
        self._subject = subject
        self._call = call
        self._call_it = subject.pipeline.runs(subject.jitted.call)
        self._has_effects = bool(subject.pipeline.traced.jaxpr.effects)
        self._donated = arrays_in(call)
        """All of them until the first call has shown which."""
        if subject.jitted.donated == ():
            self._donated = set()

    def recorded_calls(self, count: int, on_run: OnRun) -> TimedCalls:
        with recorded() as recording:
            walls = self.walls(count, on_run)
            time.sleep(_ENDING)
        found = tracks(recording.xspace)
        marks = [event for track in found for event in track.events if event.name == _MARK]
        marks.sort(key=lambda event: event.start)
        calls = [TimedCall(wall, mark.start, mark.end) for wall, mark in zip(walls, marks, strict=True)]
        runs = program_runs(found)
        return TimedCalls(calls, [run for call in calls for run in call.of(runs)], recording.xspace)

    def walls(self, count: int, on_run: OnRun) -> list[float]:
        """The seconds of so many calls."""
        with garbage_collection.paused(), self._errors():
            return [self._timed(on_run) for _ in range(count)]

    def _timed(self, on_run: OnRun) -> float:
        with self._subject.muted():
            args, kwargs = given = copies(self._call, self._donated)
        with on_run(), jax.profiler.TraceAnnotation(_MARK):
            began = time.perf_counter()
            result = self._call_it(*args, **kwargs)
            jax.block_until_ready(result)
            if self._has_effects:
                jax.effects_barrier()
            seconds = time.perf_counter() - began
        self._donated &= deleted_in(given)
        return seconds

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except JitinspectError:
            raise
        except (Exception, SystemExit) as error:
            raised_in_callback = traceback_in(str(error))
            line = raised_in_callback.rpartition("\n")[2] if raised_in_callback else message_of(error)
            detail = raised_in_callback or user_traceback(error)
            raise UserFunctionError(f"the call failed: {line}", detail=detail) from error
