"""A program → its run, watched, and the report on what it compiled."""

from __future__ import annotations

import atexit
import gc
import os
import socket
import sys
import time
import traceback
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import jitinspect
from jitinspect.errors import JitinspectError, UsageError
from jitinspect.jaxapi.version import import_jax, installed, refuse_too_old, too_new
from jitinspect.model.runs import Check, RunReport
from jitinspect.process import import_hooks, marks, runner
from jitinspect.programs import lockfile
from jitinspect.programs.limits import Limits, check_limits
from jitinspect.programs.listeners import Listeners
from jitinspect.programs.recording import writer
from jitinspect.programs.recording.writer import Recorder
from jitinspect.programs.summary import Summary

if TYPE_CHECKING:
    from jitinspect.programs.telemetry.sender import Sender
    from jitinspect.programs.watch import Watch


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for: `program` is a script's path or, with `is_module`, a module's name."""

    program: str
    argv: tuple[str, ...] = ()
    is_module: bool = False
    hits: bool = False
    record: str | None = None
    otlp: str | None = None
    limits: Limits = Limits()  # noqa: RUF009 (frozen)
    lock: Path | None = None
    update_lock: bool = False
    profiler: Callable[[], Profiler] | None = None


class Profiler(Protocol):
    """Made and started once jax has been imported; `failure` is what went wrong since. With `finish`, `stop`
    first waits for what the program still computes.
    """

    failure: Exception | None

    def start(self) -> None: ...

    def stop(self, finish: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class Result:
    """The report, the program's own exit code, and what went wrong in jitinspect itself, if anything."""

    report: RunReport
    own_code: int
    fault: JitinspectError | None = None
    profiler: Profiler | None = None


def run(request: Request, listeners: Listeners, own_files: Collection[str] = ()) -> Result:
    """Run the program as `python` would, and watch it from the moment it has imported jax: what it sets
    before that must take effect. `own_files` are those whose frames do not belong to the program.

    A child that it forks ends here, with its own exit code. Before anything runs, raises `UnavailableError`
    for a JAX that is too old, `LoadError` for a program or lock file, and `UsageError` for a recording, that
    cannot be opened.
    """
    refuse_too_old(installed())  # not when the program has run, which may take hours
    program = runner.module(request.program) if request.is_module else runner.script(Path(request.program))
    before = _lock_before(request)
    run = _Run(request, listeners, own_files, _recorder(request), _sender(request))
    atexit.register(run.close)  # registered first, so called last
    with import_hooks.when_imported("jax", run.begin):
        outcome = runner.run(program, request.argv, runner.call_excepthook)
    if not run.is_parent:
        raise SystemExit(outcome.exit_code)
    report = run.report(outcome)
    checks = (*run.checks(report), *_lock_check(request, before, report))
    return Result(_with_checks(report, checks), outcome.exit_code, run.fault, run.profiler)


class _Run:
    """One run: the watch, from the moment jax is imported, and the recording."""

    def __init__(
        self,
        request: Request,
        listeners: Listeners,
        own_files: Collection[str],
        recorder: Recorder | None,
        sender: Sender | None,
    ) -> None:
        self._request, self._listeners, self._own_files = request, listeners, own_files
        self._recorder, self._sender, self._on_note = recorder, sender, listeners.on_note
        self._watch: Watch | None = None
        self._marks: set[str] = set()
        self._started, self._process = time.perf_counter(), os.getpid()
        self._failure: Exception | None = None
        self.profiler: Profiler | None = None
        marks.listeners.append(self._marks.add)
        if sender is not None:
            sender.started = self._started
            self._listeners = sender.added_to(listeners)
            os.register_at_fork(after_in_child=self._follow)

    def begin(self) -> None:
        """jax has been imported. An error in jitinspect must not reach the program."""
        if not self.is_parent and self._sender is None:
            return
        try:
            import_jax()
            from jitinspect.jaxapi import devices
            from jitinspect.jaxapi.source_lines.hidden_frames import hide_frames
            from jitinspect.programs.watch import Watch

            hide_frames(set(self._own_files))
            warmup = self._request.limits.warmup
            self._watch = Watch(
                self._listeners, self._request.hits, warmup, self._recorder, self._marks, self._started
            )
            self._watch.__enter__()
            if self._sender is not None:
                self._sender.job = devices.job
            if self._request.profiler is not None and self.is_parent:
                self.profiler = self._request.profiler()
                self.profiler.start()
        except Exception as error:
            self._failure = error
        gc.freeze()  # so that the program's collections do not scan what was imported for the watch

    def _follow(self) -> None:
        """In a child that the program has forked: it sends spans of its own, and no more is told of it."""
        assert self._sender is not None
        self._sender.forked()
        self._listeners, self._recorder = self._sender.added_to(Listeners()), None
        if self._watch is not None:
            self._watch.follow(self._listeners)

    @property
    def is_parent(self) -> bool:
        """Whether this is the process that began the run, not one that it forked."""
        return os.getpid() == self._process

    def report(self, outcome: runner.Outcome) -> RunReport:
        command, ended = _command(self._request), (outcome.exit_code, outcome.stopped)
        if self.profiler is not None:
            self.profiler.stop(finish=outcome.stopped is None)
        calls = None
        if self._watch is None:
            report = Summary().report(command, time.perf_counter() - self._started, None, *ended)
        else:
            self._watch.watcher.finish()
            report, calls = self._watch.report(command, *ended), self._watch.calls
        if self._recorder is not None:
            self._recorder.end(*ended, report.totals.wall_seconds, calls)
        return report

    def checks(self, report: RunReport) -> tuple[Check, ...]:
        limits = self._request.limits
        marker = limits.warmup.marker if limits.warmup else None
        late = self._watch.late if self._watch is not None else ()
        return tuple(check_limits(limits, report, late, marker in self._marks))

    @property
    def fault(self) -> JitinspectError | None:
        if self._recorder is not None and self._recorder.error is not None:
            return UsageError(f"{self._recorder.error}: the recording ends there")
        of_profiler = self.profiler.failure if self.profiler is not None else None
        error = self._failure or (self._watch.watcher.fault if self._watch is not None else None)
        error = error or of_profiler
        if error is None:
            return None
        if isinstance(error, JitinspectError):
            return error
        if (version_error := too_new(error)) is not None:
            return version_error
        detail = "".join(traceback.format_exception(error, limit=-20))
        message = f"bug in jitinspect: {type(error).__name__}: {error}"
        return JitinspectError(message, hint="please report it with the traceback above", detail=detail)

    def close(self) -> None:
        """Called after all of the program's `atexit` functions."""
        if self.is_parent and self._watch is not None:
            self._watch.__exit__()
        if self.is_parent and self._recorder is not None:
            self._recorder.close()
        if self._sender is not None and (note := self._sender.finish()) is not None:
            self._on_note(note)


def _command(request: Request) -> str:
    """The program as the user typed it."""
    return f"-m {request.program}" if request.is_module else request.program


def _recorder(request: Request) -> Recorder | None:
    if request.record is None:
        return None
    header = {
        "jitinspect": jitinspect.__version__,
        "program": _command(request),
        "argv": list(request.argv),
        "python": ".".join(map(str, sys.version_info[:3])),
        "started": time.time(),
    }
    return Recorder(writer.path_for(request.record).absolute(), header)


def _sender(request: Request) -> Sender | None:
    if request.otlp is None:
        return None
    resource: dict[str, str | int] = {
        "service.name": request.program if request.is_module else Path(request.program).stem,
        "host.name": socket.gethostname(),
        "process.runtime.name": sys.implementation.name,
        "process.runtime.version": ".".join(map(str, sys.version_info[:3])),
        "jitinspect.version": jitinspect.__version__,
    }
    if (version := installed()) is not None:
        resource["jax.version"] = version
    from jitinspect.programs.telemetry.sender import Sender

    return Sender(request.otlp, resource)


def _lock_before(request: Request) -> lockfile.LockContents | None:
    """None if there is no lock file yet, or it is to be rewritten."""
    if request.lock is None or request.update_lock or not request.lock.exists():
        return None
    return lockfile.read(request.lock)


def _lock_check(
    request: Request, before: lockfile.LockContents | None, report: RunReport
) -> tuple[Check, ...]:
    if request.lock is None or before is None:
        return ()
    now = lockfile.lock_contents(report.compilations)
    return (lockfile.check(request.lock, before, now, report.compilations),)


def _with_checks(report: RunReport, checks: tuple[Check, ...]) -> RunReport:
    """If a check did not hold the exit code is 1, whatever the program's own is."""
    held = all(check.held for check in checks)
    return replace(report, checks=checks, exit_code=report.exit_code if held else 1)
