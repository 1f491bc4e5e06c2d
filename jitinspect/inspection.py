"""A request → a report: the target loaded, its arguments built, its stages read, its events seen."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import jax

from jitinspect import arguments, specs
from jitinspect.annotations import spec_of
from jitinspect.describe import describe_call
from jitinspect.errors import LoadError, UnavailableError, UserFunctionError
from jitinspect.jaxapi import devices
from jitinspect.jitting import Jitted, jitted
from jitinspect.model import Artifact, Report, Target
from jitinspect.observe import Observer, Sink, StartSink
from jitinspect.specs import Argument
from jitinspect.stages import READINGS, Options, Pipeline, artifact, platform_error
from jitinspect.target import Loaded, load
from jitinspect.tracebacks import user_traceback

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for, as specs: nothing in it has been loaded yet.

    `dims` maps a named dimension to the sizes it sweeps over; `values` keeps the
    real arrays that `args_from` returns instead of their types.
    """

    command: str
    ref: str
    stages: tuple[str, ...]
    arguments: tuple[Argument, ...] = ()
    args_from: str | None = None
    values: bool = False
    static: tuple[str | int, ...] = ()
    donate: tuple[str | int, ...] = ()
    transforms: tuple[str, ...] = ()
    mesh: tuple[tuple[str, int], ...] = ()
    dims: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    platforms: tuple[str, ...] = ()
    options: Options = field(default_factory=Options)


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who is told while the work goes on: of events, of stages that begin, and of notes."""

    on_event: Sink | None = None
    on_start: StartSink | None = None
    on_note: Note = lambda text: None


def inspect(request: Request, listeners: Listeners | None = None) -> Report:
    """Carry out `request`.

    Raises the errors of `jitinspect.errors` as its parts do. The environment is
    left out: asking for it starts the backend, which `jaxpr` alone need not do.
    """
    listeners = listeners or Listeners()
    for platform in request.platforms:
        if error := platform_error(platform):
            raise error
    needed = arguments.devices_needed(request.mesh, request.arguments)
    if devices.ensure_cpu_devices(needed):
        listeners.on_note(f"made {needed} CPU devices, as the mesh and the placements ask")
    with Observer(listeners.on_event, listeners.on_start) as observer:
        loaded = load(request.ref)
        subject = jitted(loaded, static=request.static, donate=request.donate, transforms=request.transforms)
        artifacts = tuple(_artifacts(request, subject, listeners.on_note))
    target = _target(loaded, subject, artifacts[0].signature)
    return Report(request.command, target, artifacts, tuple(observer.events))


def _target(loaded: Loaded, subject: Jitted, signature: str) -> Target:
    return Target(
        ref=loaded.ref,
        module=loaded.module,
        qualname=loaded.qualname,
        file=loaded.file,
        line=loaded.line,
        static=subject.static or (),
        donated=subject.donated or (),
        signature=signature,
    )


def _artifacts(request: Request, subject: Jitted, note: Note) -> Iterator[Artifact]:
    mesh = arguments.make_mesh(request.mesh)
    for asked, traced in arguments.changed_dtypes(request.arguments):
        note(f"asked for {asked}, traced {traced}: x64 is off; JAX_ENABLE_X64=1 turns it on")
    for dims in _sweep(request.dims):
        call = _call(request, subject, dims, mesh)
        signature = describe_call(subject.name, *call)
        for platform in request.platforms or (None,):
            pipeline = Pipeline(partial(subject.trace, *call[0], **call[1]), platform)
            for stage in request.stages:
                yield _artifact(stage, pipeline, request, note, signature, dims, platform)


def _artifact(
    stage: str,
    pipeline: Pipeline,
    request: Request,
    note: Note,
    signature: str,
    dims: Mapping[str, int],
    platform: str | None,
) -> Artifact:
    try:
        reading = READINGS[stage](pipeline, request.options)
    except UnavailableError as error:
        if len(request.stages) == 1:
            raise
        return Artifact(stage, "", "", unavailable=error.message, signature=signature, dims=dims)
    for text in reading.notes:
        note(text)
    return artifact(stage, reading, signature=signature, dims=dims, platform=platform)


def _sweep(dims: Mapping[str, Sequence[int]]) -> Iterator[dict[str, int]]:
    """Every combination of the sizes, in the order given; one empty combination where none are named."""
    for sizes in itertools.product(*dims.values()):
        yield dict(zip(dims, sizes, strict=True))


def _call(
    request: Request, subject: Jitted, dims: Mapping[str, int], mesh: jax.sharding.Mesh | None
) -> arguments.Call:
    """The target's arguments: from the user's function, from specs, and from annotations for the rest."""
    bound = [replace(argument, spec=specs.bind(argument.spec, dims)) for argument in request.arguments]
    args, kwargs = arguments.build_call(bound, mesh)
    if request.args_from:
        first_args, first_kwargs = _args_from(request.args_from, request.values)
        args, kwargs = (*first_args, *args), {**first_kwargs, **kwargs}
    call = _with_annotated(subject, dims, (args, kwargs))
    if subject.kind == "equinox.filter_jit":  # there every value that is not an array is static
        return call
    arguments.check_call(subject.name, subject.signature, subject.static or (), call)
    return call


def _with_annotated(subject: Jitted, dims: Mapping[str, int], call: arguments.Call) -> arguments.Call:
    """Fill the parameters that are missing and that jaxtyping annotates, by position where one can."""
    if subject.signature is None:
        return call
    args, kwargs = call
    order = list(subject.signature.parameters)
    for parameter in arguments.missing_parameters(subject.signature, call):
        spec = spec_of(parameter.annotation, dims)
        if spec is None:
            continue
        if parameter.kind is not parameter.KEYWORD_ONLY and len(args) == order.index(parameter.name):
            args = (*args, arguments.build(spec))
        else:
            kwargs = {**kwargs, parameter.name: arguments.build(spec)}
    return args, kwargs


def _args_from(ref: str, values: bool) -> arguments.Call:
    """Call the user's function for the arguments: a tuple, or `(args, kwargs)`."""
    maker = load(ref)
    try:
        made = maker.object()
    except Exception as error:
        raise UserFunctionError(f"{ref} failed: {error!r}", detail=user_traceback(error)) from error
    call = _as_call(made, ref)
    return call if values else arguments.as_types(call)


def _as_call(made: Any, ref: str) -> arguments.Call:
    if not isinstance(made, tuple):
        raise LoadError(
            f"{ref} returned {type(made).__name__}, not the arguments",
            hint="return a tuple, or (args, kwargs)",
        )
    if len(made) == 2 and isinstance(made[0], tuple) and isinstance(made[1], dict):
        return made
    return made, {}
