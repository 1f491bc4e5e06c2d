"""A request → a report: the target loaded, its arguments built, its stages read, its events seen."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from jitinspect.errors import UnavailableError
from jitinspect.jaxapi import devices
from jitinspect.model import WHOLE, Artifact, CacheKey, Report, SavedRequest, Target, View
from jitinspect.specs import Argument, free_dims, parse_argument, parse_mesh
from jitinspect.specs.describe import describe_call
from jitinspect.stages.observer import Observer, Sink, StartSink
from jitinspect.stages.pipeline import STAGE_READERS, Options, Pipeline, artifact, platform_error, unavailable
from jitinspect.targets.arguments.annotations import spec_of
from jitinspect.targets.arguments.assemble import assemble, call_from
from jitinspect.targets.arguments.build import Call, devices_needed, make_mesh
from jitinspect.targets.arguments.types import changed_dtypes
from jitinspect.targets.jitting import Jitted, jitted
from jitinspect.targets.loading import Loaded, load, named

Note = Callable[[str], None]
KeyMaker = Callable[..., CacheKey]
Read = TypeVar("Read", bound=Any)
"""A report of the model, with `events`."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for, as specs: nothing in it has been loaded yet.

    `dims` maps a named dimension to the sizes it sweeps over; `values` keeps the
    real arrays that `args_from` returns instead of their types. `key` asks for the
    cache key beside the stages, `peaks` for the memory that executables take.
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


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who is told while the work goes on: of events, of stages that begin, and of notes."""

    on_event: Sink | None = None
    on_start: StartSink | None = None
    on_note: Note = lambda text: None


@dataclass(frozen=True, slots=True)
class Subject:
    """The function with the arguments of one call, on its way through JAX.

    What is traced and compiled within `muted()` is no event: readings ask for it, not the user.
    """

    pipeline: Pipeline
    jitted: Jitted
    call: Call
    signature: str
    dims: Mapping[str, int]
    platform: str | None
    muted: Callable[[], AbstractContextManager[None]]


Reader = Callable[[Target, Iterator[Subject]], Read]
"""Makes a report of the target, and of each subject as it comes: the next is begun when it is asked for."""


def inspect(request: Request, listeners: Listeners | None = None) -> Report:
    """Carry out `request`.

    Raises the errors of `jitinspect.errors` as its parts do. The environment is
    left out: asking for it starts the backend, which `jaxpr` alone need not do.
    """
    with _opened(request, listeners or Listeners()) as work:
        return _report(work)


def inspect_call(obj: Any, call: Call, request: Request, listeners: Listeners | None = None) -> Report:
    """As `inspect`, for a function that is there already, and the arguments of a call of it."""
    with _begun(request, listeners or Listeners(), lambda: named(obj), lambda: call) as work:
        return _report(work)


def read(request: Request, reader: Reader[Read], listeners: Listeners | None = None) -> Read:
    """As `inspect`, with a report of `reader`'s making; the events are put into it."""
    with _opened(request, listeners or Listeners()) as work:
        report = reader(work.target(""), work.subjects())
    return replace(report, events=tuple(work.observer.events))


def _report(work: _Inspection) -> Report:
    make_key = _key_maker() if work.request.key else None
    artifacts: list[Artifact] = []
    keys: list[CacheKey] = []
    signature = None
    for subject in work.subjects():
        signature = signature or subject.signature
        if make_key:
            keys.append(work.key(make_key, subject))
        artifacts += work.artifacts(subject)
    events = tuple(work.observer.events)
    return Report(
        work.request.command,
        work.target(signature or ""),
        tuple(artifacts),
        events,
        keys=tuple(keys),
        request=_saved_request(work.request) if work.request.ref else None,
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
    )


def request_of(asked: SavedRequest, command: str) -> Request:
    """What was asked before, to be asked again. Raises `UsageError` where its words do not parse."""
    return Request(
        command=command,
        ref=asked.ref,
        stages=asked.stages,
        arguments=tuple(map(parse_argument, asked.arguments)),
        args_from=asked.args_from,
        values=asked.values,
        static=asked.static,
        donate=asked.donate,
        transforms=asked.transforms,
        mesh=parse_mesh(asked.mesh) if asked.mesh else (),
        dims=asked.dims,
        platforms=asked.platforms,
        peaks=True,
    )


def _opened(request: Request, listeners: Listeners) -> AbstractContextManager[_Inspection]:
    for platform in request.platforms:
        if error := platform_error(platform):
            raise error
    needed = devices_needed(request.mesh, request.arguments)
    if devices.ensure_cpu_devices(needed):
        listeners.on_note(f"made {needed} CPU devices, as the mesh and the placements ask")
    return _begun(request, listeners, lambda: load(request.ref), lambda: _given(request))


def _given(request: Request) -> Call:
    return call_from(request.args_from, request.values) if request.args_from else ((), {})


@contextmanager
def _begun(
    request: Request, listeners: Listeners, find: Callable[[], Loaded], give: Callable[[], Call]
) -> Iterator[_Inspection]:
    if request.key:
        _key_maker()
    with Observer(listeners.on_event, listeners.on_start) as observer:
        loaded = find()
        made = jitted(loaded, static=request.static, donate=request.donate, transforms=request.transforms)
        yield _Inspection(request, loaded, made, observer, listeners.on_note, give)


def _key_maker() -> KeyMaker:
    """To be asked before the target is loaded: on its import JAX's settings are noted as they are then."""
    from jitinspect.stages.cache_key import cache_key

    return cache_key


@dataclass(frozen=True, slots=True)
class _Inspection:
    """One request at work."""

    request: Request
    loaded: Loaded
    jitted: Jitted
    observer: Observer
    note: Note
    give: Callable[[], Call]

    def subjects(self) -> Iterator[Subject]:
        """The function with each combination of the sizes of a sweep, and for each platform."""
        request = self.request
        mesh = make_mesh(request.mesh)
        for asked, traced in changed_dtypes(request.arguments):
            self.note(f"asked for {asked}, traced {traced}: x64 is off; JAX_ENABLE_X64=1 turns it on")
        for name in self._unknown_dims():
            self.note(f"no argument has a dimension {name}: --dim {name} changes nothing")
        given = self.give()
        for dims in _sweep(request.dims):
            with self._muted():  # the dtype of a typed key is traced
                args, kwargs = assemble(self.jitted, given, request.arguments, dims, mesh)
            signature = describe_call(self.jitted.name, args, kwargs)
            self.observer.subject = (signature, self._source())
            for platform in request.platforms or (None,):
                pipeline = Pipeline(partial(self.jitted.trace, *args, **kwargs), platform)
                call = (args, kwargs)
                yield Subject(pipeline, self.jitted, call, signature, dims, platform, self._muted)

    def artifacts(self, subject: Subject) -> Iterator[Artifact]:
        """A reading per stage."""
        for stage in self.request.stages:
            made = self._artifact(stage, subject.pipeline)
            if stage == "hlo" and self.request.peaks and made.unavailable is None:
                made = replace(made, peak_bytes=_peak(subject.pipeline.compiled))
            yield replace(made, signature=subject.signature, dims=subject.dims, platform=subject.platform)

    def _unknown_dims(self) -> list[str]:
        """Sizes that no spec asks for. Annotations may: where there are some, nothing is said."""
        asked = {name for argument in self.request.arguments for name in free_dims(argument.spec)}
        annotated = self.jitted.signature is None or any(
            spec_of(parameter.annotation, {}) for parameter in self.jitted.signature.parameters.values()
        )
        return [] if annotated else [name for name in self.request.dims if name not in asked]

    def _artifact(self, stage: str, pipeline: Pipeline) -> Artifact:
        try:
            if not self.request.view.is_whole:
                from jitinspect.stages.views import viewed  # which most commands do not need

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
        """To be made before it is compiled: an executable in memory would need no key."""
        pipeline = subject.pipeline
        traced, lowered = pipeline.traced, pipeline.lowered
        with self._muted():  # JAX tells of a compilation which then does not come to pass
            made = make_key(
                self._function(), self.jitted.call, subject.call, traced, lowered, pipeline.disk_key
            )
        return replace(made, signature=subject.signature, dims=subject.dims)

    @contextmanager
    def _muted(self) -> Iterator[None]:
        self.observer.muted = True
        try:
            yield
        finally:
            self.observer.muted = False

    def _function(self) -> str:
        """`vmap(samples.mlp.forward) (samples/mlp.py:33)`."""
        name = f"{self.loaded.module}.{self.loaded.qualname}"
        for transform in self.request.transforms:
            name = f"{transform}({name})"
        source = self._source()
        return f"{name} ({source})" if source else name

    def _source(self) -> str | None:
        return f"{self.loaded.file}:{self.loaded.line}" if self.loaded.file else None

    def target(self, signature: str) -> Target:
        """The target as the report tells it."""
        return Target(
            ref=self.loaded.ref,
            module=self.loaded.module,
            qualname=self.loaded.qualname,
            file=self.loaded.file,
            line=self.loaded.line,
            static=self.jitted.static or (),
            donated=self.jitted.donated or (),
            signature=signature,
        )


def _sweep(dims: Mapping[str, Sequence[int]]) -> Iterator[dict[str, int]]:
    """Every combination of the sizes, in the order given; one empty combination where none are named."""
    for sizes in itertools.product(*dims.values()):
        yield dict(zip(dims, sizes, strict=True))
