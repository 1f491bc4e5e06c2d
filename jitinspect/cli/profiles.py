"""`profile`: of a target, or of a trace that was made elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from jitinspect.cli.options import CallOptions, TargetOptions
from jitinspect.errors import UsageError
from jitinspect.jaxapi.version import import_jax

if TYPE_CHECKING:
    from jitinspect.model.program_profiles import TraceReport


def target_of(call: CallOptions, target: str, hlo: Sequence[Path]) -> TargetOptions:
    """Raises `UsageError` where there is no target."""
    if not target:
        raise UsageError(
            "profile needs a function, or a trace", hint="profile mod:fn, or profile --trace DIR"
        )
    if hlo:
        raise UsageError("--hlo needs --trace", hint="profile --trace DIR --hlo FILE")
    return TargetOptions(target=target, **{one.name: getattr(call, one.name) for one in fields(CallOptions)})


def trace_core(trace: Path, hlo: Sequence[Path], target: str) -> TraceReport:
    """The report on a trace. JAX is imported, for it prints HLO, but no backend of it starts."""
    if target:
        raise UsageError(f"--trace {trace}: a trace is of a whole program", hint=f"leave {target} out")
    import_jax()
    from jitinspect.readings.profiling.trace_files import read_traces

    return read_traces(trace, hlo)
