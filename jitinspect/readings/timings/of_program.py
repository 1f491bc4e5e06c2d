"""The long compilations of a program, looked at while it runs: `run --compile-time`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from jitinspect.errors import UnavailableError
from jitinspect.ir.source_files import SourceFiles
from jitinspect.jaxapi.calls import events
from jitinspect.jaxapi.calls.guarded import Guarded
from jitinspect.jaxapi.source_lines.equations_on_stack import equation_of
from jitinspect.jaxapi.traces import recording
from jitinspect.jaxapi.traces.compilation import TimedCompilation
from jitinspect.jaxapi.traces.events import tracks
from jitinspect.jaxapi.traces.own_profiles import told_of_own_profiles
from jitinspect.jaxapi.traces.programs import hlo_text, programs
from jitinspect.model import Phase
from jitinspect.model.compile_times import CompileTime, LineTime, ProgramCompilation, ProgramCompileTimes
from jitinspect.model.flames import Stack
from jitinspect.model.runs import RunReport
from jitinspect.process import garbage_collection
from jitinspect.process.paths import relative
from jitinspect.process.stack_sampling import Samples, sampled
from jitinspect.readings.timings.python_time import PythonTime
from jitinspect.readings.timings.stages import Stages, stages_of

LEAST = 1.0
"""Seconds of a compilation, with its trace and lowering, for it to be looked at."""
_OWN_PROFILE = "a compilation during a profile that the program makes itself is not told"
_OF_LLVM = "only `jitinspect compile-time` tells LLVM's time by kernel, which takes other options of XLA's"


@dataclass(slots=True)
class _Seen:
    """A call on its way through the stages."""

    stages: dict[Phase, Samples] = field(default_factory=dict)
    xspace: bytes = b""
    compile_seconds: float = 0.0
    function: str = ""
    definition: str | None = None
    at: str | None = None

    @property
    def seconds(self) -> float:
        return sum(samples.seconds for samples in self.stages.values()) + self.compile_seconds


class _Thread(threading.local):
    """What is under way in a thread: stages within a stage are part of that."""

    def __init__(self) -> None:
        self.depth = 0
        self.seen = _Seen()
        self.around: AbstractContextManager[Any] | None = None
        self.began = 0.0


class CompileTimeRecorder(Guarded):
    """Looks at each compilation from `start` to `stop`; then `added_to` says what of."""

    def __init__(self) -> None:
        super().__init__()
        self.has_ended = False
        self._kept: list[_Seen] = []
        self._others = 0
        self._thread = _Thread()
        self._recording: tuple[recording.Session, int] | None = None
        self._lock = threading.Lock()
        self._open = ExitStack()
        self._class: Any = None
        self._notes: dict[str, None] = {}

    def start(self) -> None:
        """Raises `UnavailableError` if nothing can be recorded."""
        if why := recording.why_not():
            raise UnavailableError(why)
        nothing: Callable[[], None] = lambda: None  # noqa: E731
        self._class = self._open.enter_context(told_of_own_profiles(self._give_way, nothing, nothing))
        self._open.callback(events.subscribe(self._harmless(self._begin), self._harmless(self._end)))

    def stop(self, finish: bool = False) -> None:
        if not self.has_ended:
            self.has_ended = True
            self._open.close()

    @property
    def failure(self) -> Exception | None:
        """What went wrong meanwhile."""
        return self.fault

    # In the program's threads

    def _begin(self, phase: Phase, name: str) -> None:
        thread = self._thread
        thread.depth += 1
        if thread.depth > 1:
            return
        if phase == "trace":
            thread.seen = _Seen()
        if phase == "compile":
            self._record()
        else:
            thread.around = sampled(equation_of)
            thread.seen.stages[phase] = thread.around.__enter__()
        thread.began = time.perf_counter()

    def _end(self, phase: Phase, name: str, seconds: float) -> None:
        thread = self._thread
        thread.depth = max(thread.depth - 1, 0)
        if thread.depth:
            return
        if thread.around is not None:
            around, thread.around = thread.around, None
            around.__exit__(None, None, None)
        if phase == "compile":
            self._keep(thread.seen, name, time.perf_counter() - thread.began)
            thread.seen = _Seen()

    def _record(self) -> None:
        with self._lock:
            if self._recording is None and recording.why_not() is None:
                self._recording = recording.Session(self._class), threading.get_ident()
                self._thread.around = recording.marked()
                self._thread.around.__enter__()

    def _keep(self, seen: _Seen, name: str, seconds: float) -> None:
        """If it took long."""
        seen.compile_seconds = seconds
        if seen.seconds < LEAST:
            self._stopped()
            self._others += 1
            return
        recording.await_last_events()
        seen.xspace = self._stopped()
        facts = events.read_stack()
        seen.function, seen.definition, seen.at = events.plain_name(name), facts.definition, facts.call_site
        self._kept.append(seen)

    def _stopped(self) -> bytes:
        """What this thread recorded."""
        with self._lock:
            if self._recording is None or self._recording[1] != threading.get_ident():
                return b""
            session, self._recording = self._recording[0], None
            try:
                return session.stop()
            except UnavailableError:
                return b""

    def _give_way(self) -> None:
        """To a profile of the program's own."""
        with self._lock:
            if self._recording is not None:
                session, self._recording = self._recording[0], None
                session.stop()

    # After the program

    def added_to(self, report: RunReport) -> RunReport:
        """The report, with where the time of its long compilations went."""
        return replace(report, compile_times=self._times())

    def _times(self) -> ProgramCompileTimes:
        sources = SourceFiles()
        with garbage_collection.paused():
            found = [made for seen in self._kept if (made := self._made(seen, sources)) is not None]
        if found:
            self._notes[_OF_LLVM] = None
        return ProgramCompileTimes(
            least_seconds=LEAST,
            compilations=tuple(sorted(found, key=lambda one: -one.seconds)),
            by_line=tuple(_summed(line for one in found for line in one.compile_time.by_line)),
            other=self._others,
            stacks=tuple(
                Stack((one.function, *stack.frames), stack.seconds)
                for one in found
                for stack in one.compile_time.stacks
            ),
            notes=tuple(self._notes),
        )

    def _made(self, seen: _Seen, sources: SourceFiles) -> ProgramCompilation | None:
        text = _text_of(seen)
        if not text:
            self._notes[_OWN_PROFILE] = None
            return None
        compilation = TimedCompilation(None, seen.compile_seconds, tracks(seen.xspace), [])
        traced, lowered = (PythonTime(seen.stages.get(phase) or Samples.none(), None) for phase in _IN_PYTHON)
        made: CompileTime = stages_of(Stages(traced, lowered, compilation, text), sources)
        definition, at = (place and relative(place) for place in (seen.definition, seen.at))
        return ProgramCompilation(seen.function, definition, at, replace(made, signature=seen.function))


_IN_PYTHON: tuple[Phase, ...] = ("trace", "lower")


def _text_of(seen: _Seen) -> str:
    """The optimized HLO of what was compiled last: the recording has that of all programs that are alive."""
    modules = programs(seen.xspace) if seen.xspace else {}
    return hlo_text(modules[max(modules)]) if modules else ""


def _summed(lines: Iterable[LineTime]) -> list[LineTime]:
    """The longest first."""
    found: dict[tuple[str, int], LineTime] = {}
    for one in lines:
        known = found.get((one.file, one.line))
        found[one.file, one.line] = one if known is None else _sum(known, one)
    return sorted(found.values(), key=lambda row: -row.seconds)


def _sum(one: LineTime, other: LineTime) -> LineTime:
    return replace(
        one,
        trace_seconds=one.trace_seconds + other.trace_seconds,
        lower_seconds=one.lower_seconds + other.lower_seconds,
        compile_seconds=one.compile_seconds + other.compile_seconds,
    )
