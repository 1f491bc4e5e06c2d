"""A watch over whatever runs inside it: the compilations as they happen, and their summary."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from jitinspect.calls import slow_hits
from jitinspect.calls.stale_settings import StaleSettings
from jitinspect.jaxapi.calls.counting import Counts, counting
from jitinspect.jaxapi.devices import job
from jitinspect.jaxapi.keys import disk_cache
from jitinspect.model import Phase
from jitinspect.model.runs import Compilation, RunReport, Span
from jitinspect.process import marks
from jitinspect.process.paths import relative
from jitinspect.programs.compilations import CompilationWatcher
from jitinspect.programs.limits import Warmup
from jitinspect.programs.listeners import Listeners
from jitinspect.programs.recording.writer import Recorder
from jitinspect.programs.slow_calls import SlowCallRecorder
from jitinspect.programs.summary import Calls, Summary


class Watch:
    """`with watch:` around a program, or a part of it.

    With `hits` all calls of functions jitted inside are counted, and those told that jit's fast path does not
    serve; they are counted as well for a warm-up given in calls.
    `since` is appended to the reason of first calls, as functions may have been called before the watch. The
    program may have `started` (in the time of `time.perf_counter()`), and `reached` marks, before the watch.
    """

    def __init__(
        self,
        listeners: Listeners = Listeners(),  # noqa: B008 (it has no state)
        hits: bool = False,
        warmup: Warmup | None = None,
        recorder: Recorder | None = None,
        reached: set[str] | None = None,
        started: float | None = None,
        since: str = "",
    ) -> None:
        self.summary = Summary()
        self.marks: set[str] = set() if reached is None else reached
        self._listeners, self._warmup, self._recorder = listeners, warmup, recorder
        counted = hits or (warmup is not None and warmup.calls is not None)
        self._counts = Counts() if counted else None
        self._hits, self._slow = hits, SlowCallRecorder()
        self.watcher = CompilationWatcher(self, self._is_late, self._is_recorded_job, since, started)
        if recorder is not None:
            recorder.job, recorder.cache = job, _cache
        self._stale = StaleSettings()
        self._open = ExitStack()
        self._wall = 0.0

    def __enter__(self) -> Watch:
        with ExitStack() as opening:
            opening.enter_context(self.watcher)
            opening.enter_context(self._stale)
            if self._counts is not None:
                opening.enter_context(self._slow)
                opening.enter_context(counting(self._counts, self._slow))
            marks.listeners.append(self.marks.add)
            opening.callback(marks.listeners.remove, self.marks.add)
            self._open = opening.pop_all()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._wall = self.watcher.now
        self._open.close()
        self.watcher.fault = self.watcher.fault or self._stale.fault or self._slow.fault

    def follow(self, listeners: Listeners) -> None:
        """In a child that the program has forked: watch on, but tell these alone."""
        self._listeners, self._recorder = listeners, None
        self.watcher.follow()

    @property
    def calls(self) -> Calls | None:
        """By function and line, if calls are counted."""
        return self._counts.calls(relative) if self._counts is not None and self._hits else None

    @property
    def late(self) -> Sequence[Compilation]:
        """What was compiled after the warm-up."""
        return self.summary.late

    def report(self, program: str, exit_code: int = 0, stopped: str | None = None) -> RunReport:
        """Everything so far; calls in progress are reported when they end."""
        wall = self._wall or self.watcher.now
        folder, notes = disk_cache.folder(), self._stale.notes
        report = self.summary.report(program, wall, self.calls, exit_code, stopped, folder)
        slow = self._slow.slow_calls() if self._hits else ()
        hits = {(one.function, one.definition): one.hits or 0 for one in report.functions}
        of_cache = (*disk_cache.ignored_folder(), *disk_cache.other_processes())
        notes = (*notes, *of_cache, *slow_hits.notes(slow, hits))
        return replace(report, notes=notes, slow=slow)

    # Called by the watcher

    def on_start(self, phase: Phase, function: str, began: float) -> None:
        if self._recorder is not None:
            self._recorder.on_start(phase, function, began)

    def on_compiling(self, so_far: Compilation) -> None:
        if self._recorder is not None:
            self._recorder.on_compiling(so_far)
        self._listeners.on_compiling(so_far)

    def on_span(self, span: Span) -> None:
        self.summary.take_span(span)
        if self._recorder is not None:
            self._recorder.on_span(span)
        self._listeners.on_span(span)

    def on_compilation(self, compilation: Compilation) -> None:
        self.summary.take(compilation)
        if self._recorder is not None:
            self._recorder.on_compilation(compilation)
        self._listeners.on_compilation(compilation)

    def on_warning(self, text: str) -> None:
        self.summary.take_warning(text)

    def _is_late(self, name: str, definition: str | None) -> bool:
        if self._warmup is None:
            return False
        if self._warmup.marker is not None:
            return self._warmup.marker in self.marks
        assert self._counts is not None and self._warmup.calls is not None
        return self._counts.count_of(name, definition) > self._warmup.calls

    def _is_recorded_job(self) -> bool:
        return self._recorder is not None and job() is not None


def _cache() -> Mapping[str, Any] | None:
    """The cache folder, for a recording."""
    folder = disk_cache.folder()
    return None if folder is None else {"folder": os.path.abspath(folder), "notes": [*disk_cache.notes()]}
