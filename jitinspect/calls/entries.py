"""What a call log holds: calls while they last, calls that are over, and what was made ahead of time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

from jitinspect.calls.signature import CallKey
from jitinspect.jaxapi.arrays.leaves import traced_dtype
from jitinspect.jaxapi.calls import events, fronts
from jitinspect.jaxapi.jits.facts import JitFacts
from jitinspect.model import Phase, Reason, Status, Work
from jitinspect.process.tracebacks import user_traceback
from jitinspect.specs.describe import describe_call

PHASES: dict[Phase, Status] = {"trace": "TRACED", "lower": "LOWERED", "compile": "COMPILED"}


@dataclass(slots=True, eq=False)
class Stages:
    """The stages of one call, or of other work of the function `name`.

    `ran` has the seconds of each, from its beginning on: one that raises did run. `under_way` are those that
    have begun and not ended, the call's own outermost; what is done within another is none of its own.
    """

    name: str
    ran: dict[Phase, float] = field(default_factory=dict)
    under_way: list[str] = field(default_factory=list)
    traced: bool = not events.tells_bodies()
    compiled: bool = False
    compilations: int = 0
    from_disk: bool = False

    def begin(self, phase: Phase, name: str) -> None:
        if not self.under_way and events.plain_name(name) == self.name:
            self.ran.setdefault(phase, 0.0)
            self.from_disk = False
        self.under_way.append(name)

    def end(self, phase: Phase, name: str, seconds: float) -> bool:
        """Whether it was a stage of its own."""
        if self.under_way:
            self.under_way.pop()
        if self.under_way or events.plain_name(name) != self.name:
            return False
        self.ran[phase] = self.ran.get(phase, 0.0) + seconds
        self.compiled = self.compiled or phase == "compile"
        self.compilations += phase == "compile" and not self.from_disk
        if phase == "trace" and not self.traced:  # a look-up that found one
            del self.ran[phase]
        return True

    def body(self) -> None:
        """A body is traced: the outermost of a call's trace is its own."""
        self.traced = self.traced or len(self.under_way) == 1

    def disk_hit(self) -> None:
        self.from_disk = self.from_disk or len(self.under_way) == 1

    def status(self) -> Status:
        if not self.ran:
            return "CACHED"
        deepest = max(self.ran, key=list(PHASES).index)
        return "DISK" if deepest == "compile" and self.from_disk else PHASES[deepest]


@dataclass(slots=True, eq=False)
class Miss:
    """A call in which JAX did something: what was read of it at its first event, and what has run since."""

    facts: JitFacts
    signature: str
    call_key: CallKey | None = None
    made_at: str | None = None
    jax_says: str | None = None
    stages: Stages = field(init=False)

    def __post_init__(self) -> None:
        self.stages = Stages(self.facts.name)


def is_differentiated(call_key: CallKey | None) -> bool:
    """Whether a call is under `jax.grad` or its kind, which run a part of it when the call is over."""
    under = call_key.transformation if call_key is not None else None
    return under is not None and any(name in under for name in ("grad", "jvp", "linearize"))


@dataclass(frozen=True, slots=True)
class Raised:
    """What a call raised, in words: an exception would keep all that its frames hold."""

    error: str
    traceback: str


@dataclass(slots=True, eq=False)
class Row:
    """A call that is over and was no plain cached one."""

    index: int
    miss: Miss
    at: str | None
    executable: int | None
    nearest: int | None
    tell: Callable[[], tuple[Reason, ...]]
    raised: Raised | None
    thread: int

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Put into words when they are asked for, not while the program waits."""
        return self.tell()


@dataclass(frozen=True, slots=True, eq=False)
class Ahead:
    """Where a Traced, Lowered or Compiled comes from; `number` that of its executable."""

    watched: fronts.Watched
    call_key: CallKey | None
    signature: str
    number: int = 0


def raised(error: BaseException | None, frame: FrameType) -> Raised | None:
    if error is None:
        return None
    told = f"{type(error).__name__}: {error}".split("\n")[0]
    return Raised(told, user_traceback(error, frame.f_back))


def given(name: str, frame: FrameType) -> str:
    """The arguments that a Compiled was called with, which need not be those that it was compiled for."""
    return describe_call(name, frame.f_locals["args"], frame.f_locals["kwargs"], traced_dtype)


def added(work: Work, phase: Phase, seconds: float) -> Work:
    return Work(work.compilations + (phase == "compile"), work.seconds + seconds)
