"""`trace-cache`: from its options to the core, and back."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jitinspect import specs
from jitinspect.cli import streams
from jitinspect.cli.core import compile_log, computations_awaited, prepare_for_user_code
from jitinspect.cli.interrupts import ReportedInterrupts
from jitinspect.cli.options import OutputOptions
from jitinspect.cli.output import near_file, needs_environment
from jitinspect.cli.requests import no_range
from jitinspect.errors import LoadError, UsageError
from jitinspect.jaxapi.version import import_jax
from jitinspect.model import CallReport, Phase
from jitinspect.process.tracebacks import being_printed
from jitinspect.render.progress import Bar

if TYPE_CHECKING:
    from jitinspect.calls.trace_cache import Result

SUFFIXES = (".calls", ".jsonl", ".py")


def fields_of(
    script: Path,
    arguments: Sequence[str],
    plan: bool,
    policies: tuple[Sequence[str], Sequence[str]],
    mesh: str,
    dims: Sequence[str],
) -> dict[str, Any]:
    """The fields of a `Request`. Raises `UsageError` or `LoadError` before jax is imported."""
    _check_script(script, arguments, plan)
    if any(policies) and not plan:
        raise UsageError("--pad and --bucket need --plan", hint="add --plan")
    return {
        "argv": tuple(arguments),
        "plan": plan,
        "pads": tuple(policies[0]),
        "buckets": tuple(policies[1]),
        "mesh": specs.parse_mesh(mesh) if mesh else (),
        "dims": dict(map(_one_size, dims)),
    }


def _one_size(text: str) -> tuple[str, int]:
    name, sizes = specs.parse_dims(text)
    if isinstance(sizes, range):
        raise no_range(name, sizes)
    if len(sizes) > 1:
        raise UsageError(
            f"--dim {text}: a script takes one size for a dimension", hint=f"--dim {name}={sizes[0]}"
        )
    return name, sizes[0]


def _check_script(script: Path, arguments: Sequence[str], plan: bool) -> None:
    if script.suffix not in SUFFIXES:
        raise UsageError(f"{script} is not a call script", hint=f"its name must end in {', '.join(SUFFIXES)}")
    if not script.is_file():
        raise LoadError(f"no such file: {script}", hint=near_file(script, SUFFIXES))
    if script.suffix == ".py" and plan:
        raise UsageError("--plan needs a call script", hint="a program has to run to make its calls")
    if script.suffix != ".py" and arguments:
        raise UsageError(f"{script} takes no arguments: {arguments[0]}", hint="only a .py program does")


def trace_cache_core(
    script: Path, fields: dict[str, Any], output: OutputOptions, stop: bool, emit: Callable[..., None]
) -> Result:
    """Run or plan the script. On a terminal, stderr shows what is going on.

    `emit` is for the report of an interrupted run; then the process ends.
    """
    import_jax()
    from jitinspect.calls import trace_cache

    prepare_for_user_code(as_it_is=script.suffix == ".py")
    request = trace_cache.Request(script, **fields, stop=stop, explain=output.verbose)
    bar = _bar(script, output)
    log, interrupts = compile_log(output, live=bar is None and not output.quiet), ReportedInterrupts()

    def clear() -> None:
        log.close()
        if bar is not None:
            bar.clear()

    def on_begin(so_far: Callable[[str], CallReport]) -> None:
        def report(why: str) -> None:
            clear()
            emit(_complete(so_far(why), output), pager=False)

        interrupts.report = report

    def on_start(phase: Phase, function: str) -> None:
        if not being_printed():
            (bar.say(f"{phase} {function} …") if bar is not None else log.on_start(phase, function))
        interrupts.on_start(phase, function)

    def on_row() -> None:
        if not being_printed():
            (bar.say("") if bar is not None else log.close())

    def on_note(text: str) -> None:
        clear()
        log.note(text)

    listeners = trace_cache.Listeners(
        on_row=lambda row: on_row(),
        on_start=on_start,
        on_end=interrupts.on_end,
        on_note=(lambda text: None) if output.quiet else on_note,
        on_progress=bar.advance if bar is not None else lambda characters: None,
        on_begin=on_begin,
    )
    try:
        with computations_awaited():
            result = trace_cache.trace_cache(request, listeners)
    finally:
        interrupts.close()
        clear()
    return replace(result, report=_complete(result.report, output))


def _complete(report: CallReport, output: OutputOptions) -> CallReport:
    from jitinspect.jaxapi.devices import environment

    return replace(report, environment=environment()) if needs_environment(output) else report


def _bar(script: Path, output: OutputOptions) -> Bar | None:
    """A progress bar for reading a `.jsonl`; the other scripts are short."""
    wanted = script.suffix == ".jsonl" and sys.stderr.isatty() and not output.quiet
    if not wanted or os.environ.get("TERM") == "dumb":
        return None
    color = streams.wants_color(output.color.value, sys.stderr)
    return Bar(sys.stderr, script.stat().st_size, color)
