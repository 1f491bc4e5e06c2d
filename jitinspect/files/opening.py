"""A file as the target of a request: what it holds, as a subject for stages and readings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax

from jitinspect.errors import LoadError
from jitinspect.files.kinds import Kind, kind_of
from jitinspect.files.pipelines import ModulePipeline
from jitinspect.files.worker import understood
from jitinspect.jaxapi.executables.given_modules import GivenModule, parse, stand_in
from jitinspect.specs.describe import describe_call
from jitinspect.stages.inspection import Listeners, Request, RunningRequest, Subject
from jitinspect.stages.observer import Observer
from jitinspect.targets.arguments.build import Call
from jitinspect.targets.jitting import jitted
from jitinspect.targets.loading import Loaded


@contextmanager
def opened(request: Request, listeners: Listeners) -> Iterator[RunningRequest]:
    """The file that the request names. To be called where foreign bytes may be read (`files.guarded`).

    Raises `LoadError` for what cannot be read.
    """
    path = Path(request.ref)
    read = _READERS[kind_of(path)]
    with Observer(listeners.on_event, listeners.on_start) as observer:
        yield read(path)(request, observer, listeners)


Opened = Callable[[Request, Observer, Listeners], RunningRequest]


@dataclass(frozen=True, slots=True)
class RunningModule(RunningRequest):
    """A request about a module that can be compiled."""

    given: GivenModule

    def subjects(self) -> Iterator[Subject]:
        placement = self.placement()
        types = [jax.ShapeDtypeStruct(one.shape, one.dtype) for one in self.given.arguments]
        call: Call = (tuple(types), {})
        signature = describe_call(self.jitted.name, *call)
        self.observer.subject = (signature, self.source())
        args, kwargs = call = placement.place(call)
        trace = placement.around(call, partial(self.jitted.trace, *args, **kwargs))
        pipeline = ModulePipeline(trace, self.given, None, placement.first)
        with self.muted():  # of what stands for it
            _ = pipeline.lowered
        device = self.request.device
        shown = device.text if device else None
        yield Subject(pipeline, self.jitted, call, signature, {}, shown, self.muted, {}, device)


def _mlir(path: Path) -> Opened:
    content = path.read_bytes()
    try:
        given = parse(content)
    except ValueError as error:
        raise LoadError(f"{path} is not a module that MLIR reads: {str(error).splitlines()[0]}") from None
    understood()
    return partial(_running_module, path, given)


def _running_module(
    path: Path, given: GivenModule, request: Request, observer: Observer, listeners: Listeners
) -> RunningRequest:
    function = stand_in(given)
    loaded = Loaded(str(path), given.name, function.__qualname__, function, None, None)
    made = jitted(loaded)
    return RunningModule(request, loaded, made, observer, listeners.on_note, lambda: (((), {}), {}), given)


_READERS: dict[Kind, Callable[[Path], Opened]] = {Kind.MLIR: _mlir}
