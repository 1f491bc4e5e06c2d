"""`run` and `summary`: from their options to the core, and back."""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from jitinspect.cli import streams
from jitinspect.cli.core import computations_awaited, own_files, resume_collection
from jitinspect.cli.options import Format, LimitOptions, OutputOptions
from jitinspect.cli.output import columns, is_data, near_file, needs_environment
from jitinspect.errors import INTERRUPTED, CheckFailed, JitinspectError, LoadError, UsageError
from jitinspect.model.runs import RunReport
from jitinspect.process.tracebacks import being_printed
from jitinspect.programs import limits, lockfile
from jitinspect.programs.listeners import Listeners
from jitinspect.programs.recording.merging import summarize_recordings
from jitinspect.programs.recording.sources import sources
from jitinspect.render.decode import Misfit, reader
from jitinspect.render.errors import error_text
from jitinspect.render.run import RunLog, render
from jitinspect.render.text import shown_path

if TYPE_CHECKING:
    from jitinspect.programs.run import Result
    from jitinspect.readings.profiling.whole_program import ProgramRecorder
    from jitinspect.readings.timings.of_program import CompileTimeRecorder


def fields_of(
    program: str,
    arguments: Sequence[str],
    module: bool,
    hits: bool,
    record: str,
    limit_options: LimitOptions,
    profile: bool = False,
    compile_time: bool = False,
    otlp: str = "",
) -> dict[str, Any]:
    """The fields of a `Request`. Raises `UsageError`, `UnavailableError` or `LoadError` before jax is
    imported.
    """
    if limit_options.warmup and not limit_options.fail_on_recompile:
        raise UsageError("--warmup needs --fail-on-recompile", hint="add --fail-on-recompile")
    if limit_options.update_lock and limit_options.lock is None:
        raise UsageError("--update-lock needs --lock FILE", hint="--lock compiles.lock --update-lock")
    if limit_options.max_compile_seconds is not None and not limit_options.max_compile_seconds >= 0:
        raise UsageError(f"--max-compile-seconds {limit_options.max_compile_seconds}: must be 0 or more")
    if profile and compile_time:
        raise UsageError("--profile and --compile-time cannot be combined", hint="leave one out")
    _check_program(program, module)
    return {
        "program": program,
        "argv": tuple(arguments),
        "is_module": module,
        "hits": hits,
        "record": record or None,
        "otlp": _endpoint(otlp) if otlp else None,
        "limits": _limits(limit_options),
        "lock": limit_options.lock.absolute() if limit_options.lock else None,
        "update_lock": limit_options.update_lock,
        "profiler": _profiler if profile else _compile_timer if compile_time else None,
    }


def _profiler() -> ProgramRecorder:
    """Imported only now: it needs jax."""
    from jitinspect.readings.profiling.whole_program import ProgramRecorder

    return ProgramRecorder()


def _compile_timer() -> CompileTimeRecorder:
    from jitinspect.readings.timings.of_program import CompileTimeRecorder

    return CompileTimeRecorder()


def _endpoint(url: str) -> str:
    from jitinspect.programs.telemetry.endpoint import endpoint_of

    return endpoint_of(url)


def _limits(limit_options: LimitOptions) -> limits.Limits:
    return limits.Limits(
        tuple(map(limits.parse_most_compiles, limit_options.max_compiles)),
        limit_options.max_compile_seconds,
        limit_options.fail_on_recompile,
        limits.parse_warmup(limit_options.warmup) if limit_options.warmup else None,
    )


def _check_program(program: str, is_module: bool) -> None:
    if is_module or Path(program).is_file():
        return
    hint = near_file(Path(program), (".py",)) or "jitinspect run SCRIPT, or run -m MODULE"
    raise LoadError(f"no such file: {program}", hint=hint)


def run_core(fields: dict[str, Any], output: OutputOptions, stderr: TextIO) -> Result:
    """Run the program, with the log live on `stderr`, a stream of our own."""
    from jitinspect.programs import run

    log = _log(output, stderr)
    listeners = Listeners(on_note=_noting()) if fields["otlp"] else Listeners()
    if not output.quiet:
        listeners = replace(listeners, on_compiling=log.on_compiling, on_compilation=log.on_compilation)
    own = own_files()
    resume_collection()
    with computations_awaited():
        result = _profiled(run.run(run.Request(**fields), listeners, own))
    log.flush()
    if not needs_environment(output) or "jax" not in sys.modules:
        return result
    from jitinspect.jaxapi.devices import environment

    return replace(result, report=replace(result.report, environment=environment()))


def _noting() -> Callable[[str], None]:
    """Notes go to stderr, also where the program closes its own, or ours was closed at the end."""
    stderr = streams.own_stderr()

    def note(text: str) -> None:
        with suppress(OSError, ValueError):
            stderr.write(f"note: {text}\n")

    return note


def _profiled(result: Result) -> Result:
    """With where the program's time, or that of its compilations, went, if that was measured."""
    recorder = cast("ProgramRecorder | CompileTimeRecorder | None", result.profiler)
    if recorder is None or not recorder.has_ended:
        return result
    return replace(result, report=recorder.added_to(result.report))


def _log(output: OutputOptions, stderr: TextIO) -> RunLog:
    return RunLog(
        stderr,
        color=streams.wants_color(output.color.value, stderr),
        live=stderr.isatty(),
        verbose=output.verbose,
        width=shutil.get_terminal_size((160, 24)).columns,
        must_wait=being_printed,
    )


def report_run(
    report: RunReport, output: OutputOptions, listing: Format, emit: Callable[..., None], stderr: TextIO
) -> None:
    """Print the summary on stderr, because stdout is the program's. If it goes to a file or is JSON, print
    only the checks on stderr; if that file cannot be written after all, print everything.
    """
    is_elsewhere = output.as_json or output.output is not None
    try:
        if is_elsewhere:
            emit(report)
    except UsageError:
        _summarize(report, output, stderr, quiet=False)
        raise
    _summarize(report, output, stderr, quiet=is_elsewhere or output.quiet)
    annotate(report, listing, stderr)


def _summarize(report: RunReport, output: OutputOptions, stderr: TextIO, quiet: bool) -> None:
    color = streams.wants_color(output.color.value, stderr)
    streams.write(stderr, render(report, color, columns(stderr), output.verbose, quiet))


def annotate(report: RunReport, listing: Format, stderr: TextIO) -> None:
    """GitHub reads its workflow commands from both streams."""
    if listing is Format.github:
        from jitinspect.render.github import annotated

        streams.write(stderr, annotated(report))


def ended(result: Result, lock: Path | None, is_new: bool, output: OutputOptions, stderr: TextIO) -> int:
    """The exit code. Below 0, it is the signal that ends the process, as it would have ended the program.
    With `is_new`, write the lock file.

    Raises `CheckFailed` if a limit is exceeded, and the errors of jitinspect itself.
    """
    report = result.report
    if lock is not None and is_new:
        _write_lock(lock, report, result.own_code, stderr, output.quiet)
    if result.fault is not None:
        _report_fault(result.fault, output, stderr, is_checked=bool(report.checks))
    failed = [check.limit for check in report.checks if not check.held]
    if failed:
        raise CheckFailed(f"check failed: {', '.join(failed)}")
    return -signal.SIGINT if report.exit_code == INTERRUPTED and report.stopped else report.exit_code


def _report_fault(fault: JitinspectError, output: OutputOptions, stderr: TextIO, is_checked: bool) -> None:
    """The program ends as it would alone, unless there are checks: their result is unknown."""
    if is_checked:
        raise fault
    stderr.write(error_text(fault, streams.wants_color(output.color.value, stderr)))


def _write_lock(path: Path, report: RunReport, own_code: int, stderr: TextIO, quiet: bool) -> None:
    """Write it only if the program succeeded: otherwise it has not compiled everything."""
    if own_code != 0:
        stderr.write(f"note: {path} was not written: the program exited with {own_code}\n")
        return
    try:
        path.write_text(lockfile.to_text(lockfile.lock_contents(report.compilations)), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--lock {path}: {error.strerror}") from None
    if not quiet:
        stderr.write(f"wrote {shown_path(str(path))}\n")


def summarize(names: Sequence[str], output: OutputOptions) -> RunReport:
    """Raises `LoadError` for what is no recording. Text lists no single compilations but the slowest."""
    return summarize_recordings(sources(names), decoded, lists=is_data(output))


def decoded(kind: type, value: Any) -> Any:
    """A dataclass from its JSON. Raises `LoadError` if it does not fit."""
    try:
        return reader(kind)(value)
    except Misfit as misfit:
        raise LoadError(f"this recording cannot be read: {misfit}") from None
