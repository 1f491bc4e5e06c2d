"""Files that XLA can still compile: MLIR modules, HLO before optimization, exported functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import jax

from jitinspect.errors import LoadError, UnavailableError, UsageError
from jitinspect.files.pipelines import ModulePipeline
from jitinspect.files.worker import understood
from jitinspect.ir.program import Frame
from jitinspect.ir.source_files import SourceFile
from jitinspect.jaxapi import devices
from jitinspect.jaxapi.modules import exported as exports
from jitinspect.jaxapi.modules import parsing, trees
from jitinspect.jaxapi.modules.given import GivenArray, GivenModule, defined_at, given
from jitinspect.jaxapi.modules.stand_in import prepare_libraries, result_types, stand_in, types
from jitinspect.specs.describe import describe_call
from jitinspect.stages.inspection import Listeners, Placement, Request, RunningRequest, Subject, sweep
from jitinspect.stages.observer import Observer
from jitinspect.targets.arguments.build import Call, make_mesh, missing_dims
from jitinspect.targets.jitting import Jitted, jitted
from jitinspect.targets.loading import Loaded

Opened = Callable[[Request, Observer, Listeners], RunningRequest]
Dims = Mapping[str, int]
_UNNAMED = "devices"
"""The axis of a mesh for a module that tells how many devices, and no axes."""


class Held(Protocol):
    """What a file holds. `dims` are dimensions that it leaves open, `platforms` those that it is for, none if
    it does not say; `first` is the module as it was read, before sizes are known.
    """

    @property
    def first(self) -> GivenModule: ...
    @property
    def dims(self) -> tuple[str, ...]: ...
    @property
    def platforms(self) -> tuple[str, ...]: ...

    def call(self, dims: Dims, platform: str) -> HeldCall:
        """Raises `UsageError` for sizes that it does not take."""


@dataclass(frozen=True, slots=True)
class HeldCall:
    """One call of it: the module, the types of its arguments' leaves (without shardings), how these make up
    the arguments, by name, and the tree of the results' types. `kept` as for `stand_in`.
    """

    module: GivenModule
    leaves: Sequence[Any]
    arguments: Callable[[Sequence[Any]], dict[str, Any]]
    results: Any
    kept: tuple[int, ...] | None = None

    def placed(self, mesh: jax.sharding.Mesh | None) -> dict[str, Any]:
        """The arguments, as the module has them on the mesh."""
        leaves = list(self.leaves)
        at = range(len(leaves)) if self.kept is None else self.kept
        for leaf, placed in zip(at, types(self.module, [leaves[one] for one in at], mesh), strict=True):
            leaves[leaf] = placed
        return self.arguments(leaves)


@dataclass(frozen=True, slots=True)
class HeldModule:
    """A module alone."""

    first: GivenModule
    dims: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()

    def call(self, dims: Dims, platform: str) -> HeldCall:
        arguments, results = self.first.arguments, self.first.results
        tree = trees.arguments(
            [one.name or f"result[{at}]" for at, one in enumerate(results)], result_types(self.first)
        )
        return HeldCall(
            self.first,
            types(self.first),
            partial(trees.arguments, [one.name for one in arguments]),
            next(iter(tree.values())) if len(tree) == 1 else tuple(tree.values()),
        )


@dataclass(frozen=True, slots=True)
class HeldExport:
    """An exported function, whose trees of arguments and results are known."""

    exported: Any
    first: GivenModule

    @property
    def dims(self) -> tuple[str, ...]:
        return exports.dims_of(self.exported)

    @property
    def platforms(self) -> tuple[str, ...]:
        return tuple(self.exported.platforms)

    def given(self) -> tuple[GivenArray, ...]:
        """The arguments of the module that are those of the function: the last ones."""
        count = len(self.exported.module_kept_var_idx)
        return self.first.arguments[-count:] if count else ()

    def call(self, dims: Dims, platform: str) -> HeldCall:
        kept = tuple(self.exported.module_kept_var_idx)
        leaves = exports.in_types(self.exported, dims)
        at = self.platforms.index(platform) if platform in self.platforms else 0
        made = exports.specialized(self.exported, [leaves[leaf] for leaf in kept], at)
        names = [one.name for one in self.given()]
        module = given(made)
        return HeldCall(
            replace(
                module,
                arguments=tuple(
                    one._replace(name=name) for one, name in zip(module.arguments, names, strict=True)
                ),
            ),
            leaves,
            partial(exports.arguments, self.exported, kept, names),
            exports.results(self.exported, dims),
            kept if len(kept) < len(leaves) else None,
        )


@dataclass(frozen=True, slots=True)
class RunningModule(RunningRequest):
    """A request about a file that can be compiled."""

    held: Held

    def subjects(self) -> Iterator[Subject]:
        request = self.request
        for name in request.dims.keys() - {*self.held.dims}:
            self.note(f"no argument has a dimension {name}: --dim {name} changes nothing")
        placement = self.placement()
        for dims in sweep(request.dims):
            for platform in request.platforms or (None,):
                yield self._of_file(placement, platform, dims)

    def placement(self) -> Placement:
        module = self.held.first
        axes = module.mesh or ((_UNNAMED, module.devices),) * (module.devices > 1)
        if self.request.device is None:
            return Placement(make_mesh(axes))
        _require_size(self.request, module.devices)
        return self.placed_over(axes)

    def _of_file(self, placement: Placement, platform: str | None, dims: dict[str, int]) -> Subject:
        device = self.request.device
        wanted = platform or (device.platform if device else exports.platform_here())
        held = self.held.call(dims, wanted)
        arguments = held.placed(placement.mesh)
        function = stand_in(held.module, arguments, held.results, held.kept, placement.mesh)
        made = jitted(replace(self.loaded, object=function))
        call: Call = (tuple(arguments.values()), {})
        signature = describe_call(made.name, *call)
        call = placement.place(call)
        self.observer.subject = (signature, self.source())
        trace = placement.around(call, partial(made.trace, *call[0]))
        refusal = _refusal(held.module, self.held.platforms, wanted)
        pipeline = ModulePipeline(trace, held.module.module, refusal, placement.first)
        prepare_libraries(held.module.custom_calls)
        with self.muted():  # of what stands for it
            _ = pipeline.lowered
        remade = partial(self._of_file, placement, platform)
        shown = device.text if device else platform
        return Subject(pipeline, made, call, signature, dims, shown, self.muted, {}, device, remade)


def _require_size(request: Request, count: int) -> None:
    """The module is divided for so many devices, once and for all."""
    device = request.device
    assert device is not None
    if (count == 1 and ":" not in device.text) or count == device.count:
        return
    names = "one device" if count == 1 else f"{count} devices"
    hint = f"--target {device.device.name}" + (f":SHAPE, of {count} devices" if count > 1 else "")
    raise UsageError(f"{request.ref} is for {names}, {device.text} has {device.count}", hint=hint)


def _refusal(module: GivenModule, platforms: Sequence[str], wanted: str) -> UnavailableError | None:
    """Why it is not compiled, if it is not."""
    if platforms and wanted not in platforms:
        hint = "--target v5e" if "tpu" in platforms else "--target h100" if "cuda" in platforms else None
        hint = hint or f"export it again, with platforms=[{wanted!r}]"
        return UnavailableError(f"it was exported for {', '.join(platforms)}, not for {wanted}", hint=hint)
    if module.has_tokens:
        return UnavailableError(
            "it has ordered effects, which only the program that lowered it can carry out"
        )
    if module.callbacks:
        told = f"it calls Python back ({', '.join(module.callbacks)}), of the process that lowered it"
        return UnavailableError(told, hint="stablehlo and hlo --before print it")
    return None


def mlir_file(path: Path) -> Opened:
    return _opened(path, parsing.mlir_module)


def hlo_before_file(path: Path) -> Opened:
    return _opened(path, parsing.hlo_text_module)


def hlo_before_proto(path: Path) -> Opened:
    return _opened(path, parsing.hlo_proto_module)


def exported_file(path: Path) -> Opened:
    try:
        held = held_export(path.read_bytes())
    except ValueError as error:
        raise LoadError(f"{path} cannot be read: {error}") from None
    except UnavailableError as error:
        raise _of(path, error) from None
    understood()
    return partial(_running, path, held)


def held_export(content: bytes) -> HeldExport:
    """Raises `ValueError` for what is damaged, `UnavailableError` for what this JAX does not read."""
    exported = exports.deserialized(content)
    return HeldExport(exported, given(exports.module_of(exported)))


def _opened(path: Path, parse: Callable[[bytes], Any]) -> Opened:
    try:
        module = given(parse(path.read_bytes()))
    except ValueError as error:
        raise LoadError(f"{path} cannot be read: {error}") from None
    except UnavailableError as error:
        raise _of(path, error) from None
    if any(None in one.shape for one in (*module.arguments, *module.results)):
        raise LoadError(
            f"{path} has shapes that are not static, and no names for them",
            hint="a file of jax.export has names",
        )
    understood()
    return partial(_running, path, HeldModule(module))


def _of(path: Path, error: UnavailableError) -> UnavailableError:
    return UnavailableError(f"{path}: {error.message}", hint=error.hint)


def _running(
    path: Path, held: Held, request: Request, observer: Observer, listeners: Listeners
) -> RunningRequest:
    missing = [name for name in held.dims if name not in request.dims]
    if missing:
        raise missing_dims(missing)
    _check_platforms(path, held, request)
    if request.device is None and devices.ensure_cpu_devices(held.first.devices):
        listeners.on_note(f"made {held.first.devices} CPU devices, as the module asks")
    name = held.first.name.removeprefix("jit_")
    place = next(iter(defined_at(held.first.module, name)), None)
    qualname = place.function if place else name
    file, line = (place.file, _first_line(place)) if place else (None, None)
    loaded = Loaded(str(path), held.first.name, qualname, None, file, line)
    nothing = Jitted(_never, "jax.jit", qualname, None, None, (), held.first.donated)
    return RunningModule(request, loaded, nothing, observer, listeners.on_note, lambda: (((), {}), {}), held)


def _never(*args: Any) -> Any:
    raise AssertionError("each subject of a file has a function of its own")


def _check_platforms(path: Path, held: Held, request: Request) -> None:
    for platform in request.platforms:
        if platform not in held.platforms:
            known = f"it is for {', '.join(held.platforms)}" if held.platforms else "it was lowered before"
            raise UsageError(f"--platform {platform}: {path} is a file; {known}", hint="leave it out")


def _first_line(place: Frame) -> int:
    """Of the function that a frame is in, with its decorators; the frame's own if its file is not here."""
    named = SourceFile(place.file).named(place.function.rpartition(".")[2])
    return next((span.start for span in reversed(named) if place.line in span), place.line)
