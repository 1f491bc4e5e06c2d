"""A program → its run, watched, and a report on what it compiled."""

from __future__ import annotations

import atexit
import sys
import time
import traceback
from dataclasses import dataclass, replace
from pathlib import Path

import jitinspect
from jitinspect import lockfile, program, recording
from jitinspect.errors import JitinspectError, UsageError
from jitinspect.jaxapi.devices import job
from jitinspect.limits import Limits, checked
from jitinspect.model.runs import Check, RunReport
from jitinspect.recording import Recorder
from jitinspect.watching import Listeners, Watch


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for: `program` is a script's path, or with `is_module` a module's name."""

    program: str
    argv: tuple[str, ...] = ()
    is_module: bool = False
    hits: bool = False
    record: str | None = None
    limits: Limits = Limits()  # noqa: RUF009 (frozen)
    lock: Path | None = None
    update_lock: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """The report, and what went wrong with jitinspect itself, if anything did."""

    report: RunReport
    fault: JitinspectError | None = None


def run(request: Request, listeners: Listeners) -> Result:
    """Run the program as `python` would, and watch it.

    A child that it forks ends here, with its own exit code. Raises `LoadError` for a program, a lock file or
    `UsageError` for a recording that cannot be opened, before anything runs.
    """
    whole = program.module(request.program) if request.is_module else program.script(Path(request.program))
    before = _locked_before(request)
    recorder = _recorder(request)
    watch = Watch(listeners, request.hits, request.limits.warmup, recorder)
    watch.__enter__()
    atexit.register(_close, watch, recorder)  # the first to be registered, and so the last to be called
    outcome = program.run(whole, request.argv, program.as_python_tells)
    if not watch.is_parent:
        raise SystemExit(outcome.exit_code)
    watch.watcher.finish()
    report = watch.report(_spoken(request), outcome.exit_code, outcome.stopped)
    if recorder is not None:
        recorder.end(outcome.exit_code, outcome.stopped, report.totals.wall_seconds, watch.calls)
    checks = (*_checks(request, watch, report), *_lock_check(request, before, report))
    return Result(_with_checks(report, checks), _fault(watch, recorder))


def _close(watch: Watch, recorder: Recorder | None) -> None:
    """When all `atexit` functions of the program's have run."""
    if watch.is_parent:
        watch.__exit__()
        if recorder is not None:
            recorder.close()


def _spoken(request: Request) -> str:
    """The program as the user typed it."""
    return f"-m {request.program}" if request.is_module else request.program


def _recorder(request: Request) -> Recorder | None:
    if request.record is None:
        return None
    told = {
        "jitinspect": jitinspect.__version__,
        "program": _spoken(request),
        "argv": list(request.argv),
        "python": ".".join(map(str, sys.version_info[:3])),
        "jax": getattr(sys.modules.get("jax"), "__version__", None),
        "started": time.time(),
    }
    return Recorder(recording.path_for(request.record).absolute(), told, job)


def _locked_before(request: Request) -> lockfile.Locked | None:
    """None where there is no lock file yet, or it is to be written anew."""
    if request.lock is None or request.update_lock or not request.lock.exists():
        return None
    return lockfile.read(request.lock)


def _checks(request: Request, watch: Watch, report: RunReport) -> tuple[Check, ...]:
    marker = request.limits.warmup.marker if request.limits.warmup else None
    return tuple(checked(request.limits, report, watch.late, marker in watch.marks))


def _lock_check(request: Request, before: lockfile.Locked | None, report: RunReport) -> tuple[Check, ...]:
    if request.lock is None or before is None:
        return ()
    now = lockfile.locked(report.compilations)
    return (lockfile.check(request.lock, before, now, report.compilations),)


def _with_checks(report: RunReport, checks: tuple[Check, ...]) -> RunReport:
    """A check that did not hold is told by the exit code 1, whatever the program's own is."""
    held = all(check.held for check in checks)
    return replace(report, checks=checks, exit_code=report.exit_code if held else 1)


def _fault(watch: Watch, recorder: Recorder | None) -> JitinspectError | None:
    error = watch.watcher.fault
    if recorder is not None and recorder.error is not None:
        return UsageError(f"{recorder.error}: the recording ends there")
    if error is None:
        return None
    detail = "".join(traceback.format_exception(error))
    message = f"a fault of jitinspect: {type(error).__name__}: {error}"
    return JitinspectError(message, hint="please report it, with the text above", detail=detail)
