"""A file that is already compiled as the target of a request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

import jax

from jitinspect.errors import JitinspectError, LoadError, UnavailableError
from jitinspect.files.compiled import CompiledModule, compiled_module
from jitinspect.files.compiled_pipelines import CompiledPipeline
from jitinspect.files.kinds import Kind
from jitinspect.files.worker import understood
from jitinspect.ir.source_files import SourceFile
from jitinspect.jaxapi.executables.given_executables import ProgramArray, StandIn, refusal, stand_in
from jitinspect.model import CacheKey
from jitinspect.specs.describe import describe
from jitinspect.stages.inspection import KeyMaker, Listeners, Request, RunningRequest, Subject
from jitinspect.stages.observer import Observer
from jitinspect.targets.jitting import jitted
from jitinspect.targets.loading import Loaded

_MOST_NAMED = 6
"""Arguments with paths that a signature lists one by one."""
_NO_LINES = (
    "it tells no source lines, so that nothing is attributed to them; JAX's own text has them: hlo --raw"
)


Running = TypeVar("Running", bound="RunningCompiled")


@dataclass(frozen=True, slots=True)
class RunningCompiled(RunningRequest):
    """A request about a compiled module."""

    module: CompiledModule
    stand_in: StandIn

    def subjects(self) -> Iterator[Subject]:
        module = self.module
        if not module.has_lines and (self.request.stages == () or not self.request.view.is_whole):
            self.note(f"{self.loaded.ref}: {_NO_LINES}")
        signature = _signature(self.jitted.name, module.taken)
        yield Subject(self.pipeline(), self.jitted, self.stand_in.call, signature, {}, None, self.muted)

    def key(self, make_key: KeyMaker, subject: Subject) -> CacheKey:
        raise UnavailableError(
            f"{self.loaded.ref} is already compiled: JAX keys what it has not compiled yet"
        )

    def pipeline(self) -> CompiledPipeline:
        return CompiledPipeline(self.traced, self.module.executable)

    @contextmanager
    def damage_told(self) -> Iterator[None]:
        """Around a reading: what it cannot make sense of may be a text that is damaged. XLA is asked."""
        try:
            yield
        except JitinspectError:
            raise
        except Exception:
            if why := refusal(self.module.executable.text):
                raise LoadError(f"{self.loaded.ref} is damaged; XLA says: {why}") from None
            raise

    def traced(self) -> jax.stages.Traced:
        with self.muted():
            return self.stand_in.trace()


def opened_compiled(
    path: Path, kind: Kind, request: Request, observer: Observer, listeners: Listeners
) -> RunningCompiled:
    """Raises `LoadError` for what cannot be read, `UnavailableError` for what has no module in it."""
    module = compiled_module(path, kind, dict(request.mesh))
    understood()
    return started(RunningCompiled, module, str(path), request, observer, listeners)


def started(
    kind: type[Running],
    module: CompiledModule,
    ref: str,
    request: Request,
    observer: Observer,
    listeners: Listeners,
    **known: Any,
) -> Running:
    """A request about the module; `ref` is what the user calls it, `known` is more for its `kind`."""
    made = stand_in(_function(module), module.taken, module.given)
    file, line = _place(module)
    loaded = Loaded(ref, module.name, _function(module), made.function, file, line)
    note = listeners.on_note
    return kind(
        request, loaded, jitted(loaded), observer, note, lambda: (((), {}), {}), module, made, **known
    )


def _function(module: CompiledModule) -> str:
    """`step` of `jit_step`."""
    return module.name.partition("_")[2] if module.name.startswith(("jit_", "pjit_")) else module.name


def _place(module: CompiledModule) -> tuple[str | None, int | None]:
    """The file of the function that the module was made from, and its first line."""
    if module.origin is None:
        return None, None
    file, line, name = module.origin
    spans = (span for span in SourceFile(file).named(name.rpartition(".")[2]) if line in span)
    return file, next((span.start for span in spans), line)


def _signature(name: str, taken: tuple[ProgramArray, ...]) -> str:
    """`step(f32[8], f32[8,8])`, or by path where an argument is more than an array:
    `step(params['w']: f32[8])`; of many arrays, how many each argument has.
    """
    if all(one.name is None or one.name.isidentifier() for one in taken):
        return f"{name}({', '.join(map(_described, taken))})"
    if len(taken) <= _MOST_NAMED:
        return f"{name}({', '.join(f'{one.name}: {_described(one)}' for one in taken)})"
    counts = ((root, len(list(group))) for root, group in groupby(taken, _root))
    return f"{name}({', '.join(f'{root}: {_arrays(count)}' for root, count in counts)})"


def _arrays(count: int) -> str:
    return "an array" if count == 1 else f"{count} arrays"


def _described(one: ProgramArray) -> str:
    return describe(jax.ShapeDtypeStruct(one.shape, one.dtype))


def _root(one: ProgramArray) -> str:
    return (one.name or "").replace(".", "[").partition("[")[0]
