"""What a call log holds: calls in progress, finished calls, and ahead-of-time stages."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import TypeAlias

from jitinspect.calls.signature import CallKey
from jitinspect.jaxapi.arrays.leaves import traced_dtype
from jitinspect.jaxapi.calls import events, proxies
from jitinspect.jaxapi.jits.facts import JitFacts
from jitinspect.model import Phase, Reason, Status, Work
from jitinspect.process.tracebacks import message_of, user_traceback
from jitinspect.specs.describe import describe_call

PHASES: dict[Phase, Status] = {"trace": "TRACED", "lower": "LOWERED", "compile": "COMPILED"}


@dataclass(slots=True, eq=False)
class Stages:
    """The stages of one call, or of other work, of the function `name`; None if it is for several.

    `ran` has the seconds of each stage, with an entry as soon as it begins: a stage that raises did run.
    `under_way` are the stages that have begun and not ended, outermost first; only the outermost one can
    be the call's own. Functions are named as in `events.plain_name`.
    """

    name: str | None
    ran: dict[Phase, float] = field(default_factory=dict)
    under_way: list[str] = field(default_factory=list)
    traced: bool = not events.has_body_events()
    compiled: bool = False
    compilations: int = 0
    from_disk: bool = False

    def begin(self, phase: Phase, name: str) -> None:
        if not self.under_way and self.name in (None, name):
            self.ran.setdefault(phase, 0.0)
            self.from_disk = False
        self.under_way.append(name)

    def end(self, phase: Phase, name: str, seconds: float) -> bool:
        """Whether it was one of the call's own stages."""
        if self.under_way:
            self.under_way.pop()
        if self.under_way or self.name not in (None, name):
            return False
        self.ran[phase] = self.ran.get(phase, 0.0) + seconds
        self.compiled = self.compiled or phase == "compile"
        self.compilations += phase == "compile" and not self.from_disk
        if phase == "trace" and not self.traced:  # a lookup that found a trace
            del self.ran[phase]
        return True

    def body_traced(self) -> None:
        """A function body is being traced: in the outermost stage it is the call's own."""
        self.traced = self.traced or len(self.under_way) == 1

    def disk_hit(self) -> None:
        self.from_disk = self.from_disk or len(self.under_way) == 1

    def status(self) -> Status:
        if not self.ran:
            return "CACHED"
        deepest = max(self.ran, key=list(PHASES).index)
        return "DISK" if deepest == "compile" and self.from_disk else PHASES[deepest]


Executable: TypeAlias = "int | Miss | None"
"""The number of an executable (None or 0 if it is not known), or the call in another thread that made it and
had not ended yet.
"""


def number_of(executable: Executable) -> int | None:
    return number_of(executable.executable) if isinstance(executable, Miss) else executable or None


@dataclass(slots=True, eq=False)
class Miss:
    """A call in which JAX did something: what was read at its first event, and what has run since.

    `made_at` is where the jit was made, as code and instruction; `compiled` is the key of its executable,
    `executable` the number of that when the call has ended.
    """

    facts: JitFacts
    signature: str
    call_key: CallKey | None = None
    unread: str = ""
    made_at: tuple[CodeType, int] | None = None
    jax_says: str | None = None
    compiled: Hashable = None
    executable: Executable = None
    stages: Stages = field(init=False)

    def __post_init__(self) -> None:
        self.stages = Stages(self.facts.name)


def is_differentiated(call_key: CallKey | None) -> bool:
    """Whether a call is under `jax.grad` or the like, which run a part of it after the call returns."""
    under = call_key.transformation if call_key is not None else None
    return under is not None and any(name in under for name in ("grad", "jvp", "linearize"))


@dataclass(frozen=True, slots=True)
class Raised:
    """What a call raised, as text: an exception object would keep alive everything its frames hold."""

    error: str
    traceback: str


Explained: TypeAlias = tuple[int | None, tuple[Reason, ...]]
"""The index of the nearest earlier call, and the reasons."""


def unexplained() -> Explained:
    """For a call in which nothing ran."""
    return None, ()


@dataclass(slots=True, eq=False)
class Row:
    """A finished call that was not simply cached. Its place in the log is its `index`. `explain` is for the
    report, so that the program does not wait for it.
    """

    miss: Miss
    at: str | None
    raised: Raised | None
    thread: int
    index: int = -1
    explain: Callable[[], Explained] = unexplained


@dataclass(frozen=True, slots=True, eq=False)
class AheadOfTime:
    """Where a Traced, Lowered or Compiled comes from; `number` is that of its executable."""

    watched: proxies.Watched
    call_key: CallKey | None
    signature: str
    number: Executable = 0


def raised(error: BaseException, frame: FrameType) -> Raised:
    return Raised(message_of(error), user_traceback(error, frame.f_back))


def describe_compiled_call(name: str, frame: FrameType) -> str:
    """The call of a Compiled as text; its arguments need not be those that it was compiled for."""
    return describe_call(name, frame.f_locals["args"], frame.f_locals["kwargs"], traced_dtype)


def with_stage(work: Work, phase: Phase, seconds: float) -> Work:
    return Work(work.compilations + (phase == "compile"), work.seconds + seconds)
