"""What `compile-time` finds: where the time of tracing, lowering and compiling went.

`seconds` are those of the wall clock, and those of all parts add up to those of the whole: where several
threads work at once, an instant is divided equally among them. `thread_seconds` are sums over all threads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from jitinspect.model.base import SCHEMA, Environment
from jitinspect.model.explorations import Exploration
from jitinspect.model.flames import Stack
from jitinspect.model.stages import CompileEvent, Target


@dataclass(frozen=True, slots=True)
class PhaseTime:
    """A part of the compilation. `share` is that of the compilation's wall clock."""

    phase: str
    seconds: float
    share: float
    thread_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class PassTime:
    """A pass of XLA's, in all its `runs` within one pipeline, without the passes inside it."""

    pass_: str
    seconds: float
    pipeline: str = ""
    runs: int = 1
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class KernelTime:
    """What it took to make one kernel, which is one instruction's code, usually a fusion's.

    `thread_seconds` are `codegen_seconds`, in which XLA writes LLVM IR, and `llvm_seconds`, in which LLVM
    compiles that; None if it is not known which kernel LLVM compiled when. `swappable` are kernels whose
    `llvm_seconds` it may have instead, since both ended together. `lines` are those of its `instructions`.
    """

    kernel: str
    seconds: float
    lines: tuple[str, ...]
    share: float = 0.0
    thread_seconds: float = 0.0
    codegen_seconds: float = 0.0
    llvm_seconds: float | None = None
    instructions: int = 0
    swappable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LineTime:
    """A line of the user's. `compile_seconds` are those of its kernels alone, since XLA's passes have no
    lines; of a kernel with several lines, each has an equal part.
    """

    file: str
    line: int
    text: str
    trace_seconds: float = 0.0
    compile_seconds: float = 0.0
    lower_seconds: float = 0.0

    @property
    def seconds(self) -> float:
        return self.trace_seconds + self.lower_seconds + self.compile_seconds


@dataclass(frozen=True, slots=True)
class FunctionTime:
    """A Python function, while it was traced: `self_seconds` at its own lines, `total_seconds` with what it
    called. `line` is the first of those that were seen.
    """

    function: str
    file: str
    line: int
    self_seconds: float
    total_seconds: float


@dataclass(frozen=True, slots=True)
class PrimitiveTime:
    """The lowering of all equations of one primitive, and the lines that made most of them."""

    primitive: str
    seconds: float
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Advice:
    """What would make it faster, and for which line of the user's, `file:line`, if it is one. Its cause takes
    `seconds`, `share` of those of all stages.
    """

    text: str
    line: str | None = None
    seconds: float = 0.0
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class CompileTime:
    """One call: the `wall_seconds` of the stages `trace`, `lower` and `compile`, and the parts of each, the
    longest first. `functions` are of the trace, `primitives` of the lowering, `phases`, `passes` and
    `kernels` of the compilation, of which `thread_seconds` is the sum over `threads` threads.

    `stacks` are all three, outermost first: a stage, and its Python frames, or a thread with its phases, and
    in these the passes or kernels. `sampling_seconds` is what it took to look at the Python stack, within
    `wall_seconds`. `instructions` is the size of the program that XLA was given. `notes` say what is not
    known, and why.
    """

    wall_seconds: Mapping[str, float]
    phases: tuple[PhaseTime, ...]
    passes: tuple[PassTime, ...]
    kernels: tuple[KernelTime, ...]
    by_line: tuple[LineTime, ...] = ()
    advice: tuple[Advice, ...] = ()
    functions: tuple[FunctionTime, ...] = ()
    primitives: tuple[PrimitiveTime, ...] = ()
    thread_seconds: float = 0.0
    threads: int = 1
    stacks: tuple[Stack, ...] = ()
    sampling_seconds: float = 0.0
    instructions: int = 0
    signature: str = ""
    dims: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProgramCompilation:
    """A compilation of a program: of `function`, which is at `definition`, for the call at `at`, all
    `file:line`.
    """

    function: str
    definition: str | None
    at: str | None
    compile_time: CompileTime

    @property
    def seconds(self) -> float:
        return sum(self.compile_time.wall_seconds.values())


@dataclass(frozen=True, slots=True)
class ProgramCompileTimes:
    """The compilations of a program that took `least_seconds` or more with their traces and lowerings, the
    longest first; the others are only `other` in number. `by_line` adds them up, `stacks` have their
    functions first. `notes` say what is not known, and why.
    """

    least_seconds: float
    compilations: tuple[ProgramCompilation, ...]
    by_line: tuple[LineTime, ...] = ()
    other: int = 0
    stacks: tuple[Stack, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Growth:
    """Over a sweep, `part` takes time that grows as `dim` to the power `exponent`, and the program's
    instructions as `dim` to the power `program`. `error` is the largest relative error of the fit. It is
    `faster` if it outgrows the program by more than the measurement can err.
    """

    part: str
    dim: str
    exponent: float
    program: float
    error: float
    faster: bool

    @property
    def is_clear(self) -> bool:
        """Whether a power describes it: no size is off by a factor of two."""
        return self.error <= 1.0


@dataclass(frozen=True, slots=True)
class CompileTimeReport:
    """`compile_time` is that of the first call. For a sweep over sizes, `sweep` has all of them, and `growth`
    how the parts grow with the sizes.
    """

    command: str
    target: Target
    compile_time: CompileTime
    sweep: tuple[CompileTime, ...] = ()
    growth: tuple[Growth, ...] = ()
    events: tuple[CompileEvent, ...] = ()
    environment: Environment | None = None
    exploration: Exploration | None = None
    schema: int = SCHEMA
