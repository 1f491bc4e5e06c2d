"""From the command line to the core: jax is imported here, and not before."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import jitinspect
from jitinspect.cli import streams
from jitinspect.cli.interrupts import CompileInterrupts, ending_the_process
from jitinspect.cli.options import OutputOptions
from jitinspect.cli.output import needs_environment, wants_page
from jitinspect.cli.ticker import Ticker
from jitinspect.files.kinds import is_file_target
from jitinspect.jaxapi.version import import_jax
from jitinspect.model import WHOLE, CompileEvent, Phase, Report, View
from jitinspect.render.log import CompileLog
from jitinspect.render.text import shown_path

if TYPE_CHECKING:
    from jitinspect.devices.names import DeviceTarget
    from jitinspect.model.explorations import Exploration
    from jitinspect.model.exports import ExportReport
    from jitinspect.model.fit import FitReport
    from jitinspect.model.profiles import ProfileReport
    from jitinspect.model.readings import ReadingReport
    from jitinspect.stages.inspection import Listeners, Opener, Reader, Subject

Made = TypeVar("Made", bound=Any)
"""A report."""


def resume_collection() -> None:
    """Resume the garbage collection that `__main__` paused, before the user's code runs.

    What has been imported is frozen, so that later collections skip it.
    """
    gc.freeze()
    gc.enable()


@contextmanager
def computations_awaited() -> Iterator[None]:
    """Around the user's program: what it still computes at its end is waited for at the exit."""
    try:
        yield
    finally:
        let_jax_finish()


def let_jax_finish() -> None:
    """Have JAX wait, at the exit, for what it still computes, as it does in plain Python.

    There, its client is collected as the interpreter exits, and waits for its threads. What
    `resume_collection` froze is never collected and keeps the client: its threads would go on while XLA's
    tables are destroyed, and crash (seen on jaxlib 0.12.0.1). This makes the exit slower by 0.3 s.
    """
    gc.unfreeze()


def inspect_core(
    command: str,
    stages: tuple[str, ...],
    fields: dict[str, Any],
    platforms: tuple[str, ...],
    options: dict[str, Any],
    output: OutputOptions,
    key: bool = False,
    view: View = WHOLE,
    device: DeviceTarget | None = None,
    full: bool = False,
) -> Report:
    """Inspect, with the compile log live on stderr. With a `device` this is called in a worker."""
    import_jax()
    from jitinspect.jaxapi.devices import environment
    from jitinspect.stages import inspection
    from jitinspect.stages.pipeline import Options

    prepare_for_user_code(as_it_is=device is not None)
    request = inspection.Request(
        command=command,
        stages=stages,
        platforms=platforms,
        options=Options(**options),
        key=key,
        view=view,
        peaks=needs_environment(output),
        device=device,
        full=full,
        **fields,
    )
    made: list[Exploration] = []
    also = _exploring(made) if command == "show" and wants_page(output) else None
    with listening(output) as listeners:
        report = inspection.inspect(request, listeners, also, opener_of(request.ref))
    report = replace(report, exploration=made[0] if made else None)
    return replace(report, environment=environment()) if key or needs_environment(output) else report


def reading_core(
    command: str,
    fields: dict[str, Any],
    output: OutputOptions,
    platforms: tuple[str, ...] = (),
    device: DeviceTarget | None = None,
    full: bool = False,
    **asked: Any,
) -> ReadingReport:
    """Make the report of a reading; `asked` are the options of its own. With a `device` this is called in a
    worker.
    """
    import_jax()
    from jitinspect.jaxapi.devices import environment
    from jitinspect.stages import inspection

    module = import_module(f"jitinspect.readings.{command.replace('-', '_')}")
    read: Reader[Any] = partial(module.read, **asked)
    if command in EXPLORED:
        read = explored(read, output)
    prepare_for_user_code(as_it_is=device is not None)
    request = inspection.Request(
        command=command, stages=(), platforms=platforms, device=device, full=full, **fields
    )
    with listening(output) as listeners:
        report: ReadingReport = inspection.read(request, read, listeners, opener_of(request.ref))
    return replace(report, environment=environment()) if needs_environment(output) else report


EXPLORED = ("source", "cost", "collectives", "sharding", "donation", "constants", "compile-time")
"""Readings whose page has all stages side by side, as that of `passes`, which makes them itself."""


def explored(read: Reader[Made], output: OutputOptions) -> Reader[Made]:
    """The reader; where its report becomes a page, with an exploration."""
    if not wants_page(output):
        return read
    from jitinspect.readings.explore import attached

    return attached(read)


def _exploring(made: list[Exploration]) -> Callable[[Subject, str | None], None]:
    """Keeps the exploration of the first subject."""
    from jitinspect.readings.explore import exploration

    def keep(subject: Subject, file: str | None) -> None:
        if not made:
            with subject.muted():
                made.append(exploration(subject, file))

    return keep


def opener_of(ref: str) -> Opener | None:
    """How a target that is a file is opened; None for a function."""
    if not is_file_target(ref):
        return None
    from jitinspect.files.opening import opened

    return opened


def fit_core(
    fields: dict[str, Any], output: OutputOptions, ranges: dict[str, range], device: DeviceTarget, full: bool
) -> FitReport:
    """The report of `fit`, made in a worker. A search shows the sizes that it tries, not their stages."""
    import_jax()
    from jitinspect.jaxapi.devices import environment
    from jitinspect.readings.fit import read
    from jitinspect.render.readings.fit import step_line
    from jitinspect.stages import inspection

    prepare_for_user_code(as_it_is=True)
    request = inspection.Request(command="fit", stages=(), device=device, full=full, **fields)
    with listening(output) as listeners:
        if ranges:
            listeners = inspection.Listeners(on_note=listeners.on_note)
        reader = partial(
            read,
            devices=[device],
            ranges=ranges,
            full=full,
            on_step=lambda step: listeners.on_note(step_line(device.text, next(iter(ranges)), step)),
        )
        report = inspection.read(request, explored(reader, output), listeners, opener_of(request.ref))
    return replace(report, environment=environment()) if needs_environment(output) else report


def export_core(
    fields: dict[str, Any],
    output: OutputOptions,
    path: Path,
    platforms: tuple[str, ...],
    unchecked: tuple[str, ...],
) -> ExportReport:
    """Export a function to `path`; the report on what was written."""
    import_jax()
    from jitinspect.files.exports import written
    from jitinspect.jaxapi.devices import environment
    from jitinspect.stages import inspection

    prepare_for_user_code()
    request = inspection.Request(command="export", stages=(), **fields)
    with listening(output) as listeners:
        reader = partial(written, path=path, platforms=platforms, unchecked=unchecked)
        report = inspection.read(request, reader, listeners)
    if not output.quiet:
        sys.stderr.write(f"wrote {shown_path(str(path))}\n")
    return replace(report, environment=environment()) if needs_environment(output) else report


def exported_core(file: str, output: OutputOptions) -> ExportReport:
    """The report on a file of jax.export."""
    import_jax()
    from jitinspect.files.exports import read
    from jitinspect.jaxapi.devices import environment, skip_missing_accelerators

    skip_missing_accelerators()
    report = read(Path(file))
    return replace(report, environment=environment()) if needs_environment(output) else report


def profile_core(fields: dict[str, Any], output: OutputOptions, calls: int | None) -> ProfileReport:
    """The report of `profile`. The values that --args-from returns are those of the calls."""
    import_jax()
    from jitinspect.jaxapi.devices import environment
    from jitinspect.readings.profile import read
    from jitinspect.stages import inspection

    prepare_for_user_code()
    request = inspection.Request(command="profile", stages=(), **{**fields, "values": True})
    with listening(output) as listeners:

        def on_calls(count: int, seconds: float) -> None:
            if count * seconds > _LONG:
                text = f"{count} calls of about {seconds:.1f} s each come now; --calls sets how many"
                listeners.on_note(text)

        reader = partial(read, calls=calls, on_run=ending_the_process, on_calls=on_calls)
        report = inspection.read(request, explored(reader, output), listeners, opener_of(request.ref))
    return replace(report, environment=environment()) if needs_environment(output) else report


_LONG = 3.0
"""Seconds after which a user would like to know what takes so long."""


@contextmanager
def listening(output: OutputOptions) -> Iterator[Listeners]:
    """Listeners to the stages: the compile log, live on stderr, and Ctrl-C."""
    from jitinspect.jaxapi.devices import is_computing
    from jitinspect.stages.inspection import Listeners

    log = None if output.quiet else compile_log(output, live=True)
    interrupts = CompileInterrupts()
    ticker = Ticker(log.still) if log and log.is_live else None

    def on_start(phase: Phase, function: str) -> None:
        if log:
            log.on_start(phase, function)
        if ticker:
            ticker.start()
        interrupts.on_start(phase)

    def on_event(event: CompileEvent) -> None:
        interrupts.on_end()
        if ticker:
            ticker.stop()
        if log:
            log.on_event(event)

    try:
        yield Listeners(on_event, on_start, log.note if log else lambda text: None)
    finally:
        if ticker:
            ticker.stop()
        if log:
            log.close()
        if is_computing():  # such as the parameters that the user's module makes
            let_jax_finish()


def prepare_for_user_code(as_it_is: bool = False) -> None:
    """Prepare for the user's code to run, after all imports. With `as_it_is` JAX looks for accelerators as it
    always does: for a program of the user's, and in a worker, which needs their plugins.
    """
    from jitinspect.jaxapi.devices import skip_missing_accelerators
    from jitinspect.jaxapi.source_lines.hidden_frames import hide_frames

    if not as_it_is:
        skip_missing_accelerators()
    hide_frames(own_files())
    resume_collection()


def own_files() -> set[str]:
    """The files between the interpreter and the user's function that are not the user's.

    Otherwise their frames would fill the stack-frame tables of every module, before the user's own lines.
    """
    on_the_stack = {frame.f_code.co_filename for frame, _ in traceback.walk_stack(None)}
    return {*on_the_stack, os.path.dirname(os.path.abspath(jitinspect.__file__)) + os.sep}


def compile_log(output: OutputOptions, live: bool) -> CompileLog:
    """The log on stderr; `live` only if that is a terminal."""
    return CompileLog(
        sys.stderr,
        color=streams.wants_color(output.color.value, sys.stderr),
        live=live and sys.stderr.isatty(),
        verbose=output.verbose,
        width=shutil.get_terminal_size((160, 24)).columns,
    )
