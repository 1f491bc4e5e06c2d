"""One compilation, recorded: how long it took, what XLA did meanwhile, and when it wrote which kernel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import jax

from jitinspect.errors import UnavailableError
from jitinspect.ir.trace import Track, WrittenKernel
from jitinspect.jaxapi.executables.absent import outcome
from jitinspect.jaxapi.executables.dumps import kernels_dumped
from jitinspect.jaxapi.traces import events
from jitinspect.jaxapi.traces.recording import TimedRecording


@dataclass(frozen=True, slots=True)
class TimedCompilation:
    """`seconds` are by Python's clock, from the call of `.compile()` to its end. `elsewhere` is whether it is
    for a device that is not here.
    """

    compiled: Any
    seconds: float
    tracks: list[Track]
    kernels: list[WrittenKernel]
    elsewhere: bool = False


def timed(lowered: jax.stages.Lowered) -> TimedCompilation:
    """Compile `lowered`, whatever is in JAX's caches, and write nothing to them.

    Raises `CompileError` if XLA fails, `UnavailableError` if nothing can be recorded now.
    """
    watch = TimedRecording()
    with kernels_dumped(lowered, watch) as (compiled, files):
        tracks = events.tracks(watch.recording.xspace)
        began = events.began(watch.recording.xspace)
        kernels = [
            WrittenKernel(one.module, one.begun - began, one.written - began, one.symbols()) for one in files
        ]
    return TimedCompilation(compiled, watch.seconds, tracks, kernels)


@cache
def set_up() -> None:
    """Have JAX and XLA do now what they do once in a process, when they first lower and compile: that takes
    up to 0.1 s of each, and is no function's own.
    """
    timed(jax.jit(lambda x: x + 1).lower(jax.ShapeDtypeStruct((), "float32")))


def timed_elsewhere(compiled: jax.stages.Compiled) -> TimedCompilation:
    """One that was carried out to its end for a device that is not here. Raises `UnavailableError` if that
    was not recorded.
    """
    known = outcome(compiled)
    if known.seconds is None:
        raise UnavailableError("the compilation was stopped before its end, and so not recorded")
    return TimedCompilation(compiled, known.seconds, events.tracks(known.recording), [], elsewhere=True)
