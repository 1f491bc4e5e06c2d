"""Where a whole program's time went, or that of a trace: by jitted function and by Python line.

Times are seconds of the whole program, and what runs on several devices at once counts for each of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from jitinspect.model.base import SCHEMA, Environment
from jitinspect.model.flames import Stack
from jitinspect.model.profiles import TimeOfLine, TimeOfLoop, TimeOfOp
from jitinspect.model.stages import CompileEvent


@dataclass(frozen=True, slots=True)
class TimeOfFunction:
    """A jitted function: `definition` is where it is, None if its executables do not say, `executables` how
    many of them ran, `calls` how often. `seconds` are those of its operations, `share` their part of all.
    """

    function: str
    definition: str | None
    executables: int
    calls: int
    seconds: float
    share: float

    @property
    def seconds_per_call(self) -> float:
        return self.seconds / max(self.calls, 1)


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """Seconds in which nothing was recorded, and why."""

    seconds: float
    why: str


@dataclass(frozen=True, slots=True)
class ProgramProfile:
    """`wall_seconds` is the time from the recording's start to its end, `covered_seconds` that part of it in
    which an operation ran on some device, `op_seconds` the sum of all operations: more, where operations ran
    at the same time. `by_line` and `by_op` have all of it.

    `compile_seconds` went to tracing and compiling, `host_seconds` are left: the program's own code between
    its calls, in which nothing was computed or compiled. That is the least: what was computed while something
    compiled is subtracted twice. Both are None for a trace of another program.

    A long recording has short pauses, and many where the program ran so many small operations that to record
    all of them would have slowed it down. Then what is told of operations `is_estimate`d from the
    `recorded_seconds`. Recorded in several `pieces`, a call that ran as one ended may be missing from the
    calls. `unmeasured` was not recorded for another reason, and is in no figure but `wall_seconds`.

    `unsure_seconds` are of executables from the on-disk cache that could be one of several functions.
    `without_hlo` are executables that ran, but whose HLO is not known. `untested` is the platform if
    jitinspect was not tried on it.
    """

    wall_seconds: float
    covered_seconds: float
    op_seconds: float
    recorded_seconds: float
    functions: tuple[TimeOfFunction, ...]
    by_line: tuple[TimeOfLine, ...]
    by_op: tuple[TimeOfOp, ...]
    loops: tuple[TimeOfLoop, ...] = ()
    stacks: tuple[Stack, ...] = ()
    compile_seconds: float | None = None
    host_seconds: float | None = None
    unsure_seconds: float = 0.0
    unmeasured: tuple[Unmeasured, ...] = ()
    without_hlo: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    untested: str | None = None
    is_estimate: bool = False
    pieces: int = 1

    @property
    def are_calls_exact(self) -> bool:
        return self.pieces <= 1 and not self.is_estimate


@dataclass(frozen=True, slots=True)
class TraceReport:
    """What `profile --trace` finds: `traces` are the files, one for each host."""

    command: str
    traces: tuple[str, ...]
    profile: ProgramProfile
    events: tuple[CompileEvent, ...] = ()
    environment: Environment | None = None
    schema: int = SCHEMA
    target: None = None
