"""What a whole program compiled, and what that cost: the report of `run` and `summary`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from jitinspect.model.base import NO_WORK, SCHEMA, Environment, Phase, ReasonKind, Status, Work
from jitinspect.model.calls import Reason, SlowCalls
from jitinspect.model.compile_times import ProgramCompileTimes
from jitinspect.model.program_profiles import ProgramProfile

WorkKind = Literal["call", "ahead_of_time", "backward", "eager", "other", "internal"]
"""What made JAX do the work: a call of a jitted function, `lower()` or `compile()`, the backward pass of a
call under `jax.grad`, a loop or branch (`jax.lax.scan`) outside a jit, something else (such as `jax.pmap`),
or JAX itself (its other eager operations).
"""


WRITTEN = "written"
"""In `Compilation.disk`: it has an entry in the cache folder now."""


HIT = "hit"
"""In `DiskLookup.outcome`: the executable came from the entry."""


@dataclass(frozen=True, slots=True)
class DiskLookup:
    """A look into the cache folder. `entry` is the name of the file that JAX looked for, empty if it did not.

    `outcome` is `hit`, `written`, or why it was not written. `compile_seconds` is how long the compilation
    took; of a hit, how long the one took that wrote the entry, in whole seconds. `read_seconds` is how long a
    hit took to be read and loaded.
    """

    entry: str
    outcome: str
    compile_seconds: float | None = None
    read_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Compilation:
    """One call, or other piece of work, in which JAX traced, lowered or compiled.

    `seq` numbers them in the order in which they end. `at` is the line of the user's code that caused it.
    `seconds` has the stages that ran; `began` and `ended` are when the first one began and the last one
    ended, since the start of the watch. `compilations` is 0 if an executable was reused or came from disk.
    `nearest` is the `seq` of the one that the reasons compare with; `more_differences` counts further
    differences, which have no reason of their own. `raised` is the stage that failed, `error` what it raised.
    `module` is a digest of what XLA was given, and `shared` is whether several processes compute it together;
    both are set only when the processes of a job are compared. `late` means that it came after the warm-up
    that the user specified. `disk` has an item for each compilation while there is a cache folder: `written`,
    or why it was not. `lookups` has these, and what came from the folder, with the names of the entries.
    """

    seq: int
    kind: WorkKind
    function: str
    definition: str | None
    at: str | None
    signature: str | None
    status: Status
    began: float
    ended: float = 0.0
    seconds: Mapping[str, float] = field(default_factory=dict)
    compilations: int = 0
    nearest: int | None = None
    reasons: tuple[Reason, ...] = ()
    more_differences: int = 0
    avoidable: bool = False
    raised: Phase | None = None
    error: str | None = None
    module: str | None = None
    shared: bool = False
    late: bool = False
    thread: int = 0
    process: int = 0
    disk: tuple[str, ...] = ()
    lookups: tuple[DiskLookup, ...] = ()

    @property
    def spent(self) -> float:
        """Total seconds of all its stages."""
        return sum(self.seconds.values())


@dataclass(frozen=True, slots=True)
class Span:
    """One stage of a `Compilation` that has ended: `began` and `seconds` place it in time, on `thread`.
    `depth` is 0 for an outermost stage, more for one that ran within another.
    """

    phase: Phase
    function: str
    began: float
    seconds: float
    thread: int
    depth: int = 0
    internal: bool = False
    disk_hit: bool = False
    process: int = 0


@dataclass(frozen=True, slots=True)
class Cause:
    """Compilations at one site for the same reason: what differs, where, and up to three examples.

    `text` is all of it in one line, `reasons` its first few reasons and `more` the number of the others.
    `avoidable` means that without that difference they would not have happened, and that the program's
    result would be the same.
    """

    kind: ReasonKind
    where: str | None
    text: str
    count: int
    seconds: float
    avoidable: bool
    hint: str | None = None
    examples: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class Site:
    """What was compiled at one line of the program, for one function. `calls` is None if calls were not
    counted.
    """

    at: str | None
    function: str
    definition: str | None
    compilations: int
    disk_hits: int
    seconds: float
    causes: tuple[Cause, ...] = ()
    calls: int | None = None
    kind: WorkKind = "call"


@dataclass(frozen=True, slots=True)
class FunctionCost:
    """What one definition cost. `avoidable` and `avoidable_seconds` are the part that was avoidable.

    `calls` and `hits` are None if calls were not counted.
    """

    function: str
    definition: str | None
    compilations: int
    disk_hits: int
    trace_seconds: float
    lower_seconds: float
    compile_seconds: float
    avoidable: int = 0
    avoidable_seconds: float = 0.0
    calls: int | None = None
    hits: int | None = None

    @property
    def seconds(self) -> float:
        return self.trace_seconds + self.lower_seconds + self.compile_seconds


@dataclass(frozen=True, slots=True)
class RunTotals:
    """Totals over the program's own compilations; `wall_seconds` is the time from its start to its end,
    `recompilations` counts those of functions that had been compiled before.
    """

    compilations: int = 0
    disk_hits: int = 0
    trace_seconds: float = 0.0
    lower_seconds: float = 0.0
    compile_seconds: float = 0.0
    wall_seconds: float = 0.0
    avoidable: int = 0
    avoidable_seconds: float = 0.0
    calls: int | None = None
    recompilations: int = 0

    @property
    def seconds(self) -> float:
        return self.trace_seconds + self.lower_seconds + self.compile_seconds


@dataclass(frozen=True, slots=True)
class DiskUse:
    """What became of the program's compilations in the cache folder: how many were `written`, and how many
    were not, by reason. `internal_written` are those of JAX's own. `folder` is None if it is not known.
    """

    folder: str | None
    written: int = 0
    not_written: Mapping[str, int] = field(default_factory=dict)
    internal_written: int = 0


@dataclass(frozen=True, slots=True)
class Check:
    """A limit that the user set: what it was, whether it held, and if not, why, in lines of text.

    `at` is the place in the program to look at first.
    """

    limit: str
    held: bool
    why: tuple[str, ...] = ()
    at: str | None = None


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a job: `name` is its index in the job, or the name of its recording's file.

    `ended` is false if the recording stops in the middle: the process was killed, or is still running;
    `under_way` is then the stage that had begun.
    """

    name: str
    compilations: int
    seconds: float
    wall_seconds: float
    ended: bool = True
    exit_code: int | None = None
    under_way: str | None = None


@dataclass(frozen=True, slots=True)
class Uneven:
    """A function that the processes of a job did not compile alike: `counts` by process; `what` says how:
    `not on all`, `counts differ`, `signatures differ`, `modules differ` or `order differs`. If it is
    `shared`, several processes compute it together, and wait for each other forever.
    """

    function: str
    definition: str | None
    what: str
    counts: Mapping[str, int]
    details: tuple[str, ...] = ()
    shared: bool = False


@dataclass(frozen=True, slots=True)
class RunReport:
    """The result of `run` and `summary`. `functions` and `sites` are sorted by cost, largest first.

    `internal` is what JAX compiled for itself. `compilations` are the individual ones, `spans` their stages,
    both in the order in which they ended; `omitted` counts those that were not kept. `warnings` say what went
    wrong unnoticed, such as a result that JAX compiled for another value; `notes` what else the user should
    know, such as of a setting that has no effect on what is cached. `disk` is None if nothing was compiled
    while there was a cache folder. `slow` is empty if calls were not counted, `profile` None if the program's
    time was not measured, `compile_times` None if that of its compilations was not.
    """

    program: str
    functions: tuple[FunctionCost, ...]
    sites: tuple[Site, ...]
    totals: RunTotals
    internal: Work = NO_WORK
    slowest: tuple[Compilation, ...] = ()
    compilations: tuple[Compilation, ...] = ()
    spans: tuple[Span, ...] = ()
    omitted: int = 0
    checks: tuple[Check, ...] = ()
    processes: tuple[Process, ...] = ()
    notes: tuple[str, ...] = ()
    uneven: tuple[Uneven, ...] = ()
    warnings: tuple[str, ...] = ()
    stopped: str | None = None
    exit_code: int = 0
    disk: DiskUse | None = None
    slow: tuple[SlowCalls, ...] = ()
    profile: ProgramProfile | None = None
    compile_times: ProgramCompileTimes | None = None
    environment: Environment | None = None
    command: str = "run"
    schema: int = SCHEMA
