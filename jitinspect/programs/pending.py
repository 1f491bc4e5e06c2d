"""A piece of JAX's work while it lasts, and how it is told of when it is over."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from jitinspect.calls.entries import Stages
from jitinspect.calls.reasons import avoidable
from jitinspect.calls.signature import Reading
from jitinspect.jaxapi.calls import misses
from jitinspect.jaxapi.jits.facts import JitFacts
from jitinspect.model import Phase, Reason
from jitinspect.model.runs import Compilation, WorkKind
from jitinspect.process.paths import relative


@dataclass(frozen=True, slots=True)
class Why:
    """The number of a piece of work, and what it differs in from the nearest before it."""

    seq: int
    nearest: int | None = None
    reasons: tuple[Reason, ...] = ()
    more: int = 0


@dataclass(slots=True, eq=False)
class Seen:
    """A piece of work while it lasts, as it was read at its first event: donated arguments go."""

    kind: WorkKind
    function: str
    definition: str | None
    at: str | None
    signature: str | None
    began: float
    stages: Stages
    ended: float = 0.0
    facts: JitFacts | None = None
    reading: Reading | None = None
    cleared: bool = False
    late: bool = False
    module: misses.Module | None = None
    raised: Phase | None = None
    error: str | None = None
    why: Why | None = None
    thread: int = field(default_factory=threading.get_ident)


BODY_ANEW = Reason(
    "new_function", None, None, None, "put the loop into a jitted function, or define its body once",
    "its body was traced anew: another function object than before, or other constants",
)  # fmt: skip


def told(seen: Seen, why: Why, now: float) -> Compilation:
    """As the report tells it, as far as it has come `now`."""
    stages = seen.stages
    return Compilation(
        seq=why.seq,
        kind=seen.kind,
        function=seen.function,
        definition=relative(seen.definition),
        at=relative(seen.at),
        signature=seen.signature,
        status=stages.status(),
        began=seen.began,
        ended=seen.ended or now,
        seconds={str(phase): spent for phase, spent in stages.ran.items()},
        compilations=stages.compilations,
        nearest=why.nearest,
        reasons=why.reasons,
        more_differences=why.more,
        avoidable=stages.compilations > 0 and avoidable(why.reasons),
        raised=seen.raised,
        error=seen.error,
        module=seen.module.digest if seen.module else None,
        shared=seen.module is not None and seen.module.shared,
        late=seen.late and stages.compilations > 0,
        thread=seen.thread,
    )
