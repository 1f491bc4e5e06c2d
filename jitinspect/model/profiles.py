"""What `profile` finds: where the time of a function's calls went, by line, operation, loop and call.

Times are seconds of one call, the mean over all calls that were measured. What runs on several devices at
once is that of one of them, the mean over the devices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from jitinspect.model.base import SCHEMA, Environment
from jitinspect.model.explorations import Exploration
from jitinspect.model.flames import Stack
from jitinspect.model.stages import CompileEvent, Target


@dataclass(frozen=True, slots=True)
class TimeOfLine:
    """A line of the user's code. A fusion's seconds are divided among its lines as its FLOPs and
    transcendental operations are; evenly if it has none. `share` is that of the seconds of all operations.
    `file` is None for what no line made.

    `flops` and `bytes` are counted as `cost` does, but each instruction as often as it ran;
    `flops_per_second` and `bytes_per_second` are what that comes to, None where there is nothing to divide.
    """

    file: str | None
    line: int | None
    text: str
    seconds: float
    share: float
    flops: int = 0
    bytes: int = 0
    flops_per_second: float | None = None
    bytes_per_second: float | None = None


@dataclass(frozen=True, slots=True)
class CodeLine:
    """A line of a Python file as it is written."""

    file: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class TimeOfOp:
    """An instruction of the compiled program, by its name, such as a fusion. `seconds` are without those of
    the instructions that it runs, which is what makes a `while` short; `runs` is how often it ran in a call,
    `lines` are `file:line`, `program` is the module that it is of.
    """

    op: str
    seconds: float
    runs: float
    lines: tuple[str, ...]
    opcode: str = ""
    share: float = 0.0
    flops: int = 0
    bytes: int = 0
    flops_per_second: float | None = None
    bytes_per_second: float | None = None
    program: str = ""


@dataclass(frozen=True, slots=True)
class TimeOfLoop:
    """A `while`, with all that it runs. `trips` is how many iterations one run of it made, on average; None
    if nothing in it was recorded.
    """

    op: str
    at: str | None
    trips: float | None
    runs: float
    seconds: float
    share: float


@dataclass(frozen=True, slots=True)
class TimeOfCall:
    """One call: `wall_seconds` from before it until its results were ready, `covered_seconds` that part of it
    in which an operation ran on some device.
    """

    wall_seconds: float
    covered_seconds: float


@dataclass(frozen=True, slots=True)
class TimeOfDevice:
    """The operations of one device in one call."""

    device: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Executed:
    """One execution of an operation in the call of median length; it `began` so many seconds after the call.
    `track` is the thread or stream on which it began.
    """

    name: str
    began: float
    seconds: float
    track: str
    device: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """`wall_seconds` and `covered_seconds` are those of `by_call`, on average. `op_seconds` is the sum of
    `by_op`, and of `by_line`: more than what is covered where operations ran at the same time.

    `values` says what the arrays of the arguments held, by kind of number; empty if all were given.
    `warm_up` calls came before, and are not counted. `by_call` take as long as calls did without the
    profiler; how that divides is told by as many more under it, the fastest of them for the fastest, and so
    on. `overhead` is how many times as long those took, by the medians; None if there are only calls under
    the profiler, as of a function that is slow. `untested` is a device of a kind that jitinspect was not
    tried on. `code` are the lines with time, and what is around them. `stacks` are function, line and
    operation, `timeline` is the call of median length, the 10,000 longest of its executions.
    """

    calls: int
    wall_seconds: float
    covered_seconds: float
    by_line: tuple[TimeOfLine, ...]
    by_op: tuple[TimeOfOp, ...]
    op_seconds: float = 0.0
    loops: tuple[TimeOfLoop, ...] = ()
    by_call: tuple[TimeOfCall, ...] = ()
    by_device: tuple[TimeOfDevice, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    warm_up: int = 0
    overhead: float | None = None
    signature: str = ""
    untested: str | None = None
    code: tuple[CodeLine, ...] = ()
    stacks: tuple[Stack, ...] = ()
    timeline: tuple[Executed, ...] = ()


@dataclass(frozen=True, slots=True)
class ProfileReport:
    command: str
    target: Target
    profile: Profile
    events: tuple[CompileEvent, ...] = ()
    environment: Environment | None = None
    exploration: Exploration | None = None
    schema: int = SCHEMA
