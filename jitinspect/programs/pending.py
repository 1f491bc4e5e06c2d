"""A compilation in progress: what is known so far, and the `Compilation` that it becomes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from jitinspect.calls.entries import Stages
from jitinspect.calls.reasons import avoidable
from jitinspect.calls.signature import CallKey
from jitinspect.jaxapi.calls import misses
from jitinspect.jaxapi.jits.facts import JitFacts
from jitinspect.model import Phase, Reason
from jitinspect.model.runs import HIT, Compilation, DiskLookup, WorkKind
from jitinspect.process.paths import relative


@dataclass(frozen=True, slots=True)
class Explanation:
    """The number of a piece of work, and how it differs from the nearest one before it."""

    seq: int
    nearest: int | None = None
    reasons: tuple[Reason, ...] = ()
    more: int = 0


@dataclass(slots=True, eq=False)
class Pending:
    """A piece of work in progress, as it was read at its first event: donated arguments are gone later.

    `reword` puts the reasons of what is not simply a call of a jit into words.
    """

    kind: WorkKind
    function: str
    definition: str | None
    at: str | None
    signature: str | None
    began: float
    stages: Stages
    ended: float = 0.0
    facts: JitFacts | None = None
    call_key: CallKey | None = None
    reword: Callable[[Reason], Reason] = lambda reason: reason
    unread: str = "JAX does not show its arguments"
    """Why there is no `call_key`, if there is none."""
    call: misses.MissedCall | None = None
    """The call, if its arguments are still to be read: JAX had not started."""
    origin: Pending | None = None
    """The work that this continues, if any: the trace of a lowering, the call of a backward pass."""
    cleared: bool = False
    late: bool = False
    module: misses.Module | None = None
    raised: Phase | None = None
    error: str | None = None
    lookups: list[DiskLookup] = field(default_factory=list)
    explanation: Explanation | None = None
    thread: int = field(default_factory=threading.get_ident)


def compilation_of(pending: Pending, explanation: Explanation, now: float) -> Compilation:
    """The report's entry for it, with what has happened until `now`."""
    stages = pending.stages
    return Compilation(
        seq=explanation.seq,
        kind=pending.kind,
        function=pending.function,
        definition=relative(pending.definition),
        at=relative(pending.at),
        signature=pending.signature,
        status=stages.status(),
        began=pending.began,
        ended=pending.ended or now,
        seconds={str(phase): spent for phase, spent in stages.ran.items()},
        compilations=stages.compilations,
        nearest=explanation.nearest,
        reasons=explanation.reasons,
        more_differences=explanation.more,
        avoidable=stages.compilations > 0 and _is_avoidable(pending, explanation.reasons),
        raised=pending.raised,
        error=pending.error,
        module=pending.module.digest if pending.module else None,
        shared=pending.module is not None and pending.module.shared,
        late=pending.late and stages.compilations > 0,
        disk=tuple(one.outcome for one in pending.lookups if one.outcome != HIT),
        lookups=tuple(pending.lookups),
        thread=pending.thread,
    )


def _is_avoidable(pending: Pending, reasons: tuple[Reason, ...]) -> bool:
    """A static value of an operation outside of a jit, such as the length of a loop, cannot be traced."""
    of_operation = pending.kind == "eager" and any(reason.kind == "static_value" for reason in reasons)
    return not of_operation and avoidable(reasons)
