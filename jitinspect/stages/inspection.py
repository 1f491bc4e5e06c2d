"""A request → a report: loads the target, builds its arguments, reads its stages, collects its events."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from jax.sharding import Mesh

from jitinspect.errors import UnavailableError
from jitinspect.jaxapi import devices
from jitinspect.jaxapi.arrays.buffers import Buffers, buffers
from jitinspect.model import WHOLE, AbsentDevice, Artifact, CacheKey, Report, SavedRequest, Target, View
from jitinspect.process.paths import with_cell_named
from jitinspect.specs import Argument, free_dims, parse_argument, parse_mesh
from jitinspect.specs.describe import describe_call
from jitinspect.stages.observer import Observer, OnEvent, OnStart
from jitinspect.stages.pipeline import (
    STAGE_READERS,
    Options,
    Pipeline,
    artifact,
    platform_error,
    require_jaxpr,
    unavailable,
)
from jitinspect.targets.arguments.annotations import spec_of
from jitinspect.targets.arguments.assemble import assemble, call_from
from jitinspect.targets.arguments.build import Call, devices_needed, make_mesh
from jitinspect.targets.arguments.types import as_types, changed_dtypes
from jitinspect.targets.jitting import Jitted, jitted
from jitinspect.targets.loading import Loaded, load, named

if TYPE_CHECKING:
    from jitinspect.devices.names import DeviceTarget

Note = Callable[[str], None]
Trace = Callable[[], Any]
KeyMaker = Callable[..., CacheKey]
Read = TypeVar("Read", bound=Any)
"""A report of `model`, with `events`."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for, as specs: nothing in it has been loaded yet.

    `dims` maps a named dimension to the sizes it sweeps over; `values` keeps the
    actual arrays that `args_from` returns instead of their types. `key` asks for the
    cache key in addition to the stages, `peaks` for the executables' peak memory. `device`
    is what to compile for, if that is not here: then this is a worker's request, `full` as for
    `devices.session`.
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
    view: View = WHOLE
    key: bool = False
    peaks: bool = False
    device: DeviceTarget | None = None
    full: bool = False


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the arguments of a call lie: over a mesh, if there is one, with other shardings than their own by
    `place`, and if none is an array, on the device `first`; None is the default one. `around` gives a tracing
    of the placed call what it needs around it.
    """

    mesh: Mesh | None
    place: Callable[[Call], Call] = lambda call: call
    first: Any = None
    around: Callable[[Call, Trace], Trace] = lambda call, trace: trace


@dataclass(frozen=True, slots=True)
class Listeners:
    """Callbacks during the work: for events, for stages that begin, and for notes to the user."""

    on_event: OnEvent | None = None
    on_start: OnStart | None = None
    on_note: Note = lambda text: None


@dataclass(frozen=True, slots=True)
class Subject:
    """The function with the arguments of one call, on its way through JAX.

    What is traced and compiled within `muted()` is not reported as an event: a reading, not the
    user, asked for it. `buffers` says where the arrays lay that `call` has the types of. `device` is what it
    is compiled for, if that is not here.
    """

    pipeline: Pipeline
    jitted: Jitted
    call: Call
    signature: str
    dims: Mapping[str, int]
    platform: str | None
    muted: Callable[[], AbstractContextManager[None]]
    buffers: Buffers = field(default_factory=dict)
    device: DeviceTarget | None = None
    remade: Callable[[dict[str, int]], Subject] | None = None

    def resized(self, sizes: Mapping[str, int]) -> Subject:
        """The same with other sizes of named dimensions. Those that are not given stay as they are."""
        assert self.remade is not None, "a subject of a request has it"
        return self.remade({**self.dims, **sizes})


Given = tuple[Call, Buffers]
"""The call that the user's own function gives, and where its arrays lie."""
Reader = Callable[[Target, Iterator[Subject]], Read]
"""Makes a report from the target and its subjects; each subject is made when the iterator is advanced."""
OnSubject = Callable[[Subject, str | None], None]
"""Called with a subject and the file of its target."""
Opener = Callable[[Request, Listeners], AbstractContextManager["RunningRequest"]]
"""Finds the target of a request, while the listeners hear what JAX does."""


def inspect(
    request: Request,
    listeners: Listeners | None = None,
    also: OnSubject | None = None,
    opener: Opener | None = None,
) -> Report:
    """Carry out `request`; `also` is called with each subject, once its stages are there. `opener` is for
    targets that are no functions.

    Raises the errors of `jitinspect.errors`, as its parts do. The report has no environment:
    getting that starts the backend, which `jaxpr` alone does not need.
    """
    with (opener or _open_target)(request, listeners or Listeners()) as running:
        return _report(running, also)


def inspect_call(obj: Any, call: Call, request: Request, listeners: Listeners | None = None) -> Report:
    """Like `inspect`, for a function that is already loaded, and the arguments of a call."""
    with _started(request, listeners or Listeners(), lambda: named(obj), lambda: (call, {})) as running:
        return _report(running)


def read_call(
    obj: Any, call: Call, request: Request, reader: Reader[Read], listeners: Listeners | None = None
) -> Read:
    """Like `read`, for a function that is already loaded, and the arguments of a call."""
    started = _started(request, listeners or Listeners(), lambda: named(obj), lambda: (call, {}))
    with started as running, running.frames_shown():
        report = reader(running.target(""), running.subjects())
    return replace(report, events=tuple(running.observer.events))


def read(
    request: Request,
    reader: Reader[Read],
    listeners: Listeners | None = None,
    opener: Opener | None = None,
) -> Read:
    """Like `inspect`, with a report made by `reader`, to which the events are added."""
    opened = (opener or _open_target)(request, listeners or Listeners())
    with opened as running, running.frames_shown():
        report = reader(running.target(""), running.subjects())
    return replace(report, events=tuple(running.observer.events))


def _report(running: RunningRequest, also: OnSubject | None = None) -> Report:
    make_key = _key_maker() if running.request.key else None
    artifacts: list[Artifact] = []
    keys: list[CacheKey] = []
    signature = None
    for subject in running.subjects():
        signature = signature or subject.signature
        if make_key:
            keys.append(running.key(make_key, subject))
        artifacts += running.artifacts(subject)
        if also:
            also(subject, running.loaded.file)
    events = tuple(running.observer.events)
    return Report(
        running.request.command,
        running.target(signature or ""),
        tuple(artifacts),
        events,
        keys=tuple(keys),
        request=_saved_request(running.request) if running.request.ref else None,
    )


def _peak(compiled: Any) -> int | None:
    from jitinspect.jaxapi.executables import memory  # which most commands do not need

    return memory.peak(memory.sums(compiled))


def _saved_request(request: Request) -> SavedRequest:
    return SavedRequest(
        ref=request.ref,
        stages=request.stages,
        arguments=tuple(map(str, request.arguments)),
        args_from=request.args_from,
        values=request.values,
        static=tuple(map(str, request.static)),
        donate=tuple(map(str, request.donate)),
        transforms=request.transforms,
        mesh=",".join(f"{axis}={size}" for axis, size in request.mesh),
        dims=request.dims,
        platforms=request.platforms,
        device=request.device.text if request.device else None,
        full=request.full,
    )


def request_of(saved: SavedRequest, command: str) -> Request:
    """The request that was saved, to be made again. Raises `UsageError` if its text does not parse."""
    return Request(
        command=command,
        ref=saved.ref,
        stages=saved.stages,
        arguments=tuple(map(parse_argument, saved.arguments)),
        args_from=saved.args_from,
        values=saved.values,
        static=saved.static,
        donate=saved.donate,
        transforms=saved.transforms,
        mesh=parse_mesh(saved.mesh) if saved.mesh else (),
        dims=saved.dims,
        platforms=saved.platforms,
        device=_device(saved.device) if saved.device else None,
        full=saved.full,
        peaks=True,
    )


def _device(name: str) -> DeviceTarget:
    from jitinspect.devices.names import parse_device  # which most commands do not need

    return parse_device(name)


def _open_target(request: Request, listeners: Listeners) -> AbstractContextManager[RunningRequest]:
    for platform in request.platforms:
        if error := platform_error(platform):
            raise error
    if request.device:
        if request.args_from:  # which may make a mesh of the CPU devices there, of the slice's size
            devices.ensure_cpu_devices(min(request.device.count, devices.MOST_CPU_DEVICES))
        return _started(request, listeners, lambda: load(request.ref), lambda: _arguments_from(request))
    make_devices([request], listeners)
    return _started(request, listeners, lambda: load(request.ref), lambda: _arguments_from(request))


def make_devices(requests: Sequence[Request], listeners: Listeners) -> None:
    """As many CPU devices as any of the requests needs. JAX can do so once, before it uses one."""
    needed = max(devices_needed(request.mesh, request.arguments) for request in requests)
    if devices.ensure_cpu_devices(needed):
        listeners.on_note(f"made {needed} CPU devices, as the mesh and the placements ask")


def _arguments_from(request: Request) -> Given:
    if not request.args_from:
        return ((), {}), {}
    call = call_from(request.args_from)
    return call if request.values else as_types(call), buffers(call)


@contextmanager
def _started(
    request: Request, listeners: Listeners, find: Callable[[], Loaded], give: Callable[[], Given]
) -> Iterator[RunningRequest]:
    if request.key:
        _key_maker()
    with Observer(listeners.on_event, listeners.on_start) as observer:
        loaded = find()
        made = jitted(loaded, static=request.static, donate=request.donate, transforms=request.transforms)
        yield RunningRequest(request, loaded, made, observer, listeners.on_note, give)


def _key_maker() -> KeyMaker:
    """Call this before the target is loaded: importing the module records JAX's settings at that point."""
    from jitinspect.stages.cache_key import cache_key

    return cache_key


@dataclass(frozen=True, slots=True)
class RunningRequest:
    """One request that is being carried out."""

    request: Request
    loaded: Loaded
    jitted: Jitted
    observer: Observer
    note: Note
    give: Callable[[], Given]

    def subjects(self) -> Iterator[Subject]:
        """The function with each combination of sizes in a sweep, and for each platform."""
        request = self.request
        placement = self.placement()
        for requested, traced in changed_dtypes(request.arguments):
            self.note(f"asked for {requested}, traced {traced}: x64 is off; JAX_ENABLE_X64=1 turns it on")
        for name in self._unknown_dims():
            self.note(f"no argument has a dimension {name}: --dim {name} changes nothing")
        given = self.give()
        for dims in sweep(request.dims):
            for platform in request.platforms or (None,):
                yield self._subject(given, placement, platform, dims)

    def _subject(
        self, given: Given, placement: Placement, platform: str | None, dims: dict[str, int]
    ) -> Subject:
        """What is traced from now on is reported as its events."""
        call, places = given
        with self.muted():  # getting the dtype of a typed key traces
            call = assemble(self.jitted, call, self.request.arguments, dims, placement.mesh)
        signature = describe_call(self.jitted.name, *call)
        self.observer.subject = (signature, self.source())
        args, kwargs = call = placement.place(call)
        trace = placement.around(call, partial(self.jitted.trace, *args, **kwargs))
        pipeline = Pipeline(trace, platform, placement.first)
        device = self.request.device
        shown = device.text if device else platform
        remade = partial(self._subject, given, placement, platform)
        return Subject(
            pipeline, self.jitted, call, signature, dims, shown, self.muted, places, device, remade
        )

    def placement(self) -> Placement:
        """Where the arguments lie, by the request's mesh and device."""
        request = self.request
        return (
            Placement(make_mesh(request.mesh)) if request.device is None else self.placed_over(request.mesh)
        )

    def placed_over(self, axes: Sequence[tuple[str, int]]) -> Placement:
        """The same on the request's device, with a mesh of these axes."""
        from jitinspect.jaxapi.executables.absent import absent_devices
        from jitinspect.targets.arguments.placement import absent_mesh, placed, traced_in

        device = self.request.device
        assert device is not None, "it was asked for"
        known = absent_devices(device.platform, device.topology, dict(device.topology_options))
        absent = known[: device.count]
        mesh = absent_mesh(axes, absent, device.text)
        return Placement(
            mesh,
            lambda call: placed(call, absent, mesh),
            absent[0],
            lambda call, trace: partial(traced_in, call, trace),
        )

    def artifacts(self, subject: Subject) -> Iterator[Artifact]:
        """One artifact per stage."""
        for stage in self.request.stages:
            made = self._artifact(stage, subject.pipeline)
            if stage == "hlo" and self.request.peaks and made.unavailable is None:
                made = replace(made, peak_bytes=_peak(subject.pipeline.compiled))
            yield replace(made, signature=subject.signature, dims=subject.dims, platform=subject.platform)

    def _unknown_dims(self) -> list[str]:
        """Named sizes that no spec uses. None if there are annotations, since those may use them."""
        used = {name for argument in self.request.arguments for name in free_dims(argument.spec)}
        annotated = self.jitted.signature is None or any(
            spec_of(parameter.annotation, {}) for parameter in self.jitted.signature.parameters.values()
        )
        return [] if annotated else [name for name in self.request.dims if name not in used]

    def _artifact(self, stage: str, pipeline: Pipeline) -> Artifact:
        try:
            if stage == "jaxpr":
                require_jaxpr(pipeline)
            if not self.request.view.is_whole:
                from jitinspect.stages.views import viewed  # which most commands do not need

                with self.frames_shown():
                    return viewed(stage, pipeline, self.request.view, self.loaded.file)
            stage_text = STAGE_READERS[stage](pipeline, self.request.options)
        except UnavailableError as error:
            if len(self.request.stages) == 1:
                raise
            return unavailable(stage, error.message)
        for text in stage_text.notes:
            self.note(text)
        return artifact(stage, stage_text)

    def key(self, make_key: KeyMaker, subject: Subject) -> CacheKey:
        """To be called before it is compiled: with an executable in memory, JAX would make no key."""
        pipeline = subject.pipeline
        traced, lowered = pipeline.traced, pipeline.lowered
        with self.muted():  # JAX reports a compilation, which then does not happen
            made = make_key(
                self._function(), self.jitted.call, subject.call, traced, lowered, pipeline.disk_key
            )
        return replace(made, signature=subject.signature, dims=subject.dims)

    @contextmanager
    def muted(self) -> Iterator[None]:
        """What JAX does inside is no event."""
        self.observer.muted = True
        try:
            yield
        finally:
            self.observer.muted = False

    def frames_shown(self) -> AbstractContextManager[None]:
        """Entered while lines are read, not where a text has to be JAX's own to the byte."""
        from jitinspect.jaxapi.source_lines.shown_frames import frames_shown_of

        return frames_shown_of(self.loaded.file)

    def _function(self) -> str:
        """`vmap(samples.mlp.forward) (samples/mlp.py:33)`."""
        name = f"{self.loaded.module}.{self.loaded.qualname}"
        for transform in self.request.transforms:
            name = f"{transform}({name})"
        source = self.source()
        return f"{name} ({with_cell_named(source)})" if source else name

    def source(self) -> str | None:
        """Where the target is defined."""
        return f"{self.loaded.file}:{self.loaded.line}" if self.loaded.file else None

    def target(self, signature: str) -> Target:
        """The target as it appears in the report."""
        return Target(
            ref=self.loaded.ref,
            module=self.loaded.module,
            qualname=self.loaded.qualname,
            file=self.loaded.file,
            line=self.loaded.line,
            static=self.jitted.static or (),
            donated=self.jitted.donated or (),
            signature=signature,
            devices=self._devices(),
        )

    def _devices(self) -> tuple[AbsentDevice, ...]:
        device = self.request.device
        if device is None:
            return ()
        from jitinspect.devices.plugins import find_plugin

        plugin, kind = find_plugin(device.platform), device.device.kind
        compiler = f"{plugin.package} {plugin.version}"
        return (AbsentDevice(device.text, kind, device.platform, device.count, self.request.full, compiler),)


def sweep(dims: Mapping[str, Sequence[int]]) -> Iterator[dict[str, int]]:
    """Every combination of the sizes, in the order given; one empty combination if there are none."""
    for sizes in itertools.product(*dims.values()):
        yield dict(zip(dims, sizes, strict=True))
