"""The command `diff`: two targets, calls, reports or texts side by side; and golden reports."""

from __future__ import annotations

import hashlib
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from jitinspect.cli.compiled_files import holds_no_text
from jitinspect.cli.core import listening, opener_of, prepare_for_user_code
from jitinspect.cli.devices import DeviceRequest, device_request, guarded, on_devices
from jitinspect.cli.options import (
    CallOptions,
    DeviceOptions,
    OutputOptions,
    TargetOptions,
    grouped,
    second_side,
)
from jitinspect.cli.output import needs_environment, read_report, read_text, save, wants_page
from jitinspect.cli.requests import parsed
from jitinspect.errors import CheckFailed, JitinspectError, LoadError, UsageError
from jitinspect.files.kinds import is_file_target
from jitinspect.jaxapi.version import import_jax
from jitinspect.model import Report
from jitinspect.model.differences import Difference, DiffReport, GoldenCheck, Quantity, Summary

if TYPE_CHECKING:
    from jitinspect.devices.names import DeviceTarget
    from jitinspect.model.communication import Collective
    from jitinspect.model.explorations import Exploration
    from jitinspect.readings.diff.measured import Timed
    from jitinspect.readings.diff.sides import Side
    from jitinspect.stages.inspection import Listeners, Request, Subject

_ARGUMENTS = ("shape", "arg", "args_from")
"""If B has one of these options, it replaces all of A's."""
_LONGEST_NAME = 80
Remake = Callable[["Request"], Report]
"""Carries out a request that was made anew or saved."""
_ADD = "diff --golden DIR mod:fn -s 8,8 --update"
_TEXTS = (".hlo", ".mlir", ".jaxpr", ".txt")


@dataclass(frozen=True, slots=True)
class DiffRequest:
    """The command line, with `argv` word for word."""

    before: str
    after: str
    call: CallOptions
    device: DeviceOptions
    vs: str
    stages: tuple[str, ...]
    context: int
    argv: Sequence[str]


def diff_core(asked: DiffRequest, output: OutputOptions) -> DiffReport:
    """Raises `UsageError` unless there are two sides, `LoadError` for a file that is neither a report nor a
    text, and the errors of an inspection.
    """
    from jitinspect.readings.diff.measured import compare_times
    from jitinspect.readings.diff.sides import compare

    plans = _plans(asked)
    if reports := _reports_on_time(plans):
        return compare_times(reports[0], reports[1], (str(plans[0]), str(plans[1])))
    saved = {id(plan): _file_sides(plan) for plan in plans if isinstance(plan, Path)}
    made = [plan for plan in plans if isinstance(plan, Options)]
    found = saved | (_made_sides(made, asked, list(saved.values()), output) if made else {})
    sides = [side for plan in plans for side in found[id(plan)]]
    if len(sides) != 2:
        raise UsageError(
            f"expected two things to compare, found {len(sides)}",
            hint="add a second target or report, --vs '…', or --dim B=64,128",
        )
    report = compare(sides[0], sides[1], asked.stages, asked.context)
    return _with_environment(report, output)


def _reports_on_time(plans: Sequence[Path | Options]) -> list[list[Timed]] | None:
    """Those of both sides; None unless each is such a report, or a folder of them."""
    from jitinspect.readings.diff.measured import is_timed

    paths = [plan for plan in plans if isinstance(plan, Path) and (plan.is_dir() or plan.suffix == ".json")]
    if len(paths) != 2:
        return None
    files = [sorted(path.glob("*.json")) if path.is_dir() else [path] for path in paths]
    sides = [[read_report(file) for file in side] for side in files]
    timed = [[one for one in side if is_timed(one)] for side in sides]
    return timed if timed == sides and all(timed) else None


def _made_sides(
    plans: Sequence[Options], asked: DiffRequest, saved: Sequence[list[Side]], output: OutputOptions
) -> dict[int, list[Side]]:
    """The sides of each plan, by its `id`, in workers for those with a device. Only these need jax."""
    stages = asked.stages or _stages(plans, saved)
    absent = [plan for plan in plans if plan.devices.devices]
    here = [plan for plan in plans if not plan.devices.devices]
    made = {id(plan): _sides_for_device(plan, stages, output) for plan in absent}
    return made | (_sides_here(here, stages, output) if here else {})


def _sides_here(
    plans: Sequence[Options], stages: tuple[str, ...], output: OutputOptions
) -> dict[int, list[Side]]:
    made = {id(plan): _sides_of_file(plan, stages, output) for plan in plans if plan.is_file}
    functions = [plan for plan in plans if not plan.is_file]
    if not functions:
        return made
    import_jax()
    prepare_for_user_code()
    from jitinspect.stages import inspection

    with listening(output) as listeners:
        inspection.make_devices([_request(plan, stages, "diff") for plan in functions], listeners)
        return made | {id(plan): _sides(plan, stages, listeners, wants_page(output)) for plan in functions}


def _sides_of_file(plan: Options, stages: tuple[str, ...], output: OutputOptions) -> list[Side]:
    return guarded(partial(_sides_in_guard, plan, stages, output), output, plan.target.target)


def _sides_in_guard(plan: Options, stages: tuple[str, ...], output: OutputOptions) -> list[Side]:
    import_jax()
    prepare_for_user_code()
    with listening(output) as listeners:
        return _sides(plan, stages, listeners, wants_page(output))


def _sides_for_device(plan: Options, stages: tuple[str, ...], output: OutputOptions) -> list[Side]:
    (sides,) = on_devices(plan.devices, partial(_sides_in_worker, plan, stages, output), output)
    if not output.quiet:
        name = plan.devices.devices[0].text
        sys.stderr.write(f"note  compiled for {name}; no device was involved\n")
    return sides


def _sides_in_worker(
    plan: Options, stages: tuple[str, ...], output: OutputOptions, device: DeviceTarget, full: bool
) -> list[Side]:
    import_jax()
    prepare_for_user_code(as_it_is=True)
    with listening(output) as listeners:
        return _sides(plan, stages, listeners, wants_page(output))


def _stages(plans: Sequence[Options], saved: Sequence[list[Side]]) -> tuple[str, ...]:
    """The stages to make if the user names none: those of the saved side, if there is one."""
    if saved:
        return tuple(saved[0][0].texts)
    return ("stablehlo",) if any(plan.platform for plan in plans) else ("hlo",)


def _with_environment(report: DiffReport, output: OutputOptions) -> DiffReport:
    if not needs_environment(output) or "jax" not in sys.modules:
        return report
    from jitinspect.jaxapi.devices import environment

    return replace(report, environment=environment())


@dataclass(frozen=True, slots=True)
class Options:
    """One side to inspect, and the words that have its `--shape` and `--arg` in order."""

    target: TargetOptions
    platform: str
    devices: DeviceRequest
    words: Sequence[str]

    @property
    def is_file(self) -> bool:
        return is_file_target(self.target.target)


def _plans(asked: DiffRequest) -> list[Path | Options]:
    """Where the sides come from, in order."""
    if not asked.before:
        raise UsageError("nothing to compare", hint="diff mod:f mod:g -s 8, or diff a.json b.json")
    first = _plan(asked.before, asked)
    if asked.vs:
        if asked.after or isinstance(first, Path):
            raise UsageError("--vs changes the options of one target", hint="diff mod:fn -s 8 --vs '-s 16'")
        return [first, _changed(first, shlex.split(asked.vs))]
    return [first, _plan(asked.after, asked)] if asked.after else [first]


def _plan(text: str, asked: DiffRequest) -> Path | Options:
    path = Path(text)
    if holds_no_text(text):
        return _file_plan(text, asked)
    if path.suffix in (".json", *_TEXTS) or (path.exists() and ":" not in text):
        return path
    given = {one.name: getattr(asked.call, one.name) for one in fields(CallOptions)}
    devices = device_request(asked.device, several=False)
    return Options(TargetOptions(target=text, **given), "", devices, asked.argv)


def _file_plan(text: str, asked: DiffRequest) -> Options:
    """A file that is no text. The arguments are the other side's."""
    return Options(TargetOptions(target=text, mesh=asked.call.mesh), "", DeviceRequest(), ())


def _changed(first: Options, words: list[str]) -> Options:
    """The first side with the options of `words`; arguments are replaced as a whole."""
    other, device, platform = _parsed_words(first.target.target, words)
    plain = TargetOptions(target="")
    given = {
        one.name: getattr(other, one.name)
        for one in fields(TargetOptions)
        if getattr(other, one.name) != getattr(plain, one.name)
    }
    has_arguments = any(name in given for name in _ARGUMENTS)
    if has_arguments:
        given = {**{name: getattr(plain, name) for name in _ARGUMENTS}, **given}
    devices = device_request(device, several=False)
    return Options(
        replace(first.target, **given),
        platform,
        devices if devices.devices or platform else first.devices,
        words if has_arguments else first.words,
    )


def _parsed_words(target: str, words: list[str]) -> tuple[TargetOptions, DeviceOptions, str]:
    """Parse as the command line does. Raises `UsageError` that names the word."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(grouped(second_side))
    last: Exception | None = None
    for argv in (words, [target, *words]):  # with a target of its own, or without
        try:
            found: tuple[TargetOptions, DeviceOptions, str] = app(argv, standalone_mode=False)
            return found
        except Exception as error:
            if not hasattr(error, "format_message"):
                raise
            last = error
            if "Missing" not in str(error.format_message()):
                break
    raise UsageError(
        f"--vs {shlex.join(words)}: {getattr(last, 'format_message', str)()}", hint="diff --help"
    )


def _sides(
    plan: Options,
    stages: tuple[str, ...],
    listeners: Listeners,
    is_page: bool,
) -> list[Side]:
    from jitinspect.readings.communication.subjects import collectives_of
    from jitinspect.readings.diff import sides
    from jitinspect.stages import inspection

    found: dict[tuple[tuple[str, int], ...], tuple[tuple[Collective, ...], Exploration | None]] = {}

    def also(subject: Subject, file: str | None) -> None:
        """By sizes, as the sides are: two calls of the same sizes are one side."""
        explored = _explored(subject, file) if is_page else None
        found[tuple(subject.dims.items())] = collectives_of(subject, file), explored

    request = _request(plan, stages, "diff")
    opener = opener_of(request.ref)
    report = inspection.inspect(request, listeners, also if "hlo" in stages else None, opener)
    named = plan.is_file or not report.artifacts
    label = plan.target.target if named else report.artifacts[0].signature
    made = sides.sides_of(report, f"{label} on mesh {plan.target.mesh}" if plan.target.mesh else label)
    if not found:
        return made
    return [
        replace(side, collectives=rows, exploration=explored)
        for side, (rows, explored) in zip(made, found.values(), strict=True)
    ]


def _explored(subject: Subject, file: str | None) -> Exploration:
    from jitinspect.readings.explore import exploration

    with subject.muted():
        return exploration(subject, file)


def _file_sides(path: Path) -> list[Side]:
    from jitinspect.readings.diff import sides

    if path.is_dir():
        hint = "jitinspect profile … -o before/1.json"
        raise LoadError(f"{path} is a folder, but not of profile or compile-time reports", hint=hint)
    if path.suffix != ".json":
        return [sides.text_side(path, read_text(path))]
    report = read_report(path)
    if not isinstance(report, Report):
        hint = "diff takes two reports of stages, or two of one of profile, compile-time and run --profile"
        raise LoadError(f"{path} is a {report.command} report, which has no stages", hint=hint)
    return sides.sides_of(report, str(path))


def _request(plan: Options, stages: tuple[str, ...], command: str) -> Request:
    from jitinspect.stages import inspection

    platforms = (plan.platform,) if plan.platform else ()
    made = parsed(plan.target, plan.words)
    device = next(iter(plan.devices.devices), None)
    return inspection.Request(
        command=command,
        stages=stages,
        platforms=platforms,
        peaks=True,
        device=device,
        full=plan.devices.full,
        **made,
    )


def golden_core(folder: Path, asked: DiffRequest, update: bool, output: OutputOptions) -> DiffReport:
    """Make each report of the folder again and compare it with the saved one. With `update`, save those that
    differ, and add the target of `asked` if there is one.

    Raises `UsageError` for a folder without reports.
    """
    if not folder.is_dir() and not update:
        raise UsageError(f"--golden {folder}: no such folder", hint="add --update to create it")
    import_jax()
    prepare_for_user_code()
    with listening(output) as listeners:
        remake = partial(_remade, listeners=listeners, output=output)
        checks = [_added(folder, asked, update, remake)] if asked.before else []
        new = {check.file for check in checks}
        there = [path for path in sorted(folder.glob("*.json")) if path.name not in new]
        checks += [_checked(path, asked, update, remake) for path in there]
    if not checks:
        raise UsageError(f"--golden {folder}: the folder has no reports", hint=_ADD)
    differing = next((stage for check in checks for stage in check.stages if not stage.same), None)
    diff = differing or Difference(all(check.same for check in checks), Summary(Quantity(None, None)))
    stages = tuple(stage for check in checks for stage in check.stages)
    report = DiffReport("diff", str(folder), "now", diff, stages, golden=tuple(checks))
    return _with_environment(report, output)


def _added(folder: Path, asked: DiffRequest, update: bool, remake: Remake) -> GoldenCheck:
    if not update:
        raise UsageError(
            f"adding {asked.before} needs --update", hint="leave the target out to check the folder"
        )
    plan = _plan(asked.before, asked)
    if isinstance(plan, Path):
        raise UsageError(f"{plan} is not a target", hint=_ADD)
    stages = asked.stages or ("jaxpr", "stablehlo", "hlo")
    report = remake(_request(plan, stages, "show"))
    folder.mkdir(parents=True, exist_ok=True)
    name = " ".join([plan.target.target, *(device.text for device in plan.devices.devices)])
    path = folder / _file_name(name, report.target.signature)
    save(report, path, OutputOptions(quiet=True))
    return GoldenCheck(path.name, True, "added")


def _file_name(name: str, signature: str) -> str:
    """`samples.mlp.loss_fn-f32-8-8-f32-8-8.json`; a long name ends in a digest."""
    plain = re.sub(r"[^\w.]+", "-", f"{name} {signature.partition('(')[2]}").strip("-")
    digest = hashlib.sha256(f"{name} {signature}".encode()).hexdigest()[:8]
    return f"{plain if len(plain) <= _LONGEST_NAME else f'{plain[:_LONGEST_NAME]}-{digest}'}.json"


def _checked(path: Path, asked: DiffRequest, update: bool, remake: Remake) -> GoldenCheck:
    """Check one report of the folder; an error counts against that report only."""
    from jitinspect.readings.diff import sides
    from jitinspect.stages import inspection

    try:
        saved = read_report(path)
        if not isinstance(saved, Report) or saved.request is None:
            return GoldenCheck(path.name, False, "it does not record its command: save it again")
        made = remake(inspection.request_of(saved.request, saved.command))
        before, after = sides.sides_of(saved, path.name), sides.sides_of(made, path.name)
        if len(before) != len(after):
            return GoldenCheck(path.name, False, f"{len(before)} calls then, {len(after)} now")
        pairs = zip(before, after, strict=True)
        stages = tuple(
            stage for one, other in pairs for stage in sides.compare(one, other, (), asked.context).stages
        )
    except JitinspectError as error:
        return GoldenCheck(path.name, False, error.message)
    same = all(one.same for one in stages)
    if update and not same:
        save(made, path, OutputOptions(quiet=True))
        return GoldenCheck(path.name, True, "updated", stages)
    return GoldenCheck(path.name, same, _versions(saved, made), stages)


def _remade(request: Request, listeners: Listeners, output: OutputOptions) -> Report:
    """The report of a request, in a worker if it is for a device."""
    if request.device is None:
        return _inspected(request, listeners)
    devices = DeviceRequest((request.device,), request.full)
    (report,) = on_devices(devices, partial(_remade_in_worker, request, output), output)
    return report


def _remade_in_worker(request: Request, output: OutputOptions, device: DeviceTarget, full: bool) -> Report:
    import_jax()
    prepare_for_user_code(as_it_is=True)
    with listening(output) as listeners:
        return _inspected(request, listeners)


def _inspected(request: Request, listeners: Listeners) -> Report:
    from jitinspect.jaxapi.devices import environment
    from jitinspect.stages import inspection

    return replace(inspection.inspect(request, listeners), environment=environment())


def _versions(saved: Report, made: Report) -> str:
    if saved.environment is None or made.environment is None or saved.environment.jax == made.environment.jax:
        return ""
    return f"jax {saved.environment.jax} then, {made.environment.jax} now"


def ended(report: DiffReport, check: bool) -> None:
    """Raises `CheckFailed` if something differs and the exit code is to say so."""
    failed = [one.file for one in report.golden if not one.same]
    if check and failed:
        raise CheckFailed(f"{len(failed)} of {len(report.golden)} differ: {', '.join(failed[:5])}")
    if check and not report.golden and not report.diff.same:
        raise CheckFailed(f"{report.before} and {report.after} differ")
