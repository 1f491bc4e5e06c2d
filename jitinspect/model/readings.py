"""What a function's stages come to, read for the user: the reports of `donation`, `constants`, `cost`,
`passes` and `source`.

Sizes are in bytes. `by` and `at` are a line of the user's, `file:line`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from jitinspect.model.base import SCHEMA, Environment
from jitinspect.model.stages import CompileEvent, Target
from jitinspect.model.views import Unrolled

WhyNot = Literal["dtype", "unused", "no_output", "nested_jit", "sharding", "layout"]


@dataclass(frozen=True, slots=True)
class DonatedLeaf:
    """One array of the arguments. `aliased` is the path of the output that gets its buffer, None where none
    does, for which `why` is known or not. `could_save` is what donating it would save: 0 if it is donated.

    Bytes are those of one device. `could_alias` is the output that would get its buffer, `nearest` tells the
    output that comes nearest to it: `result[0] is bf16[8,8]`. `signature` is that of the call.
    """

    path: str
    bytes: int
    donated: bool
    aliased: str | None
    why: WhyNot | None
    could_save: int
    type: str = ""
    could_alias: str | None = None
    nearest: str | None = None
    signature: str = ""


@dataclass(frozen=True, slots=True)
class DonationReport:
    """`bytes_aliased` is XLA's own sum (`memory_analysis()`) over all calls, None where it gives none.
    `unknown` tells why what donating would save is not known, where that is so.
    """

    command: str
    target: Target
    donation: tuple[DonatedLeaf, ...]
    bytes_aliased: int | None = None
    unknown: str | None = None
    events: tuple[CompileEvent, ...] = ()
    environment: Environment | None = None
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True)
class Constant:
    """An array that the function closed over. `source` is the line that captured it, `enters` how it comes
    into the program: as an argument that JAX adds, or as a literal of the module. `name` is a variable's that
    holds it, `uses` the number of equations that take it.
    """

    shape: tuple[int, ...]
    dtype: str
    bytes: int
    source: str | None
    name: str | None = None
    enters: str = ""
    type: str = ""
    uses: int = 0
    signature: str = ""


@dataclass(frozen=True, slots=True)
class ConstantsReport:
    command: str
    target: Target
    constants: tuple[Constant, ...]
    events: tuple[CompileEvent, ...] = ()
    environment: Environment | None = None
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True)
class Pass:
    """One step of XLA's pipelines. `ops` is how many instructions of each opcode came (or, negative, went);
    `changed` is told of the module's text without its metadata, against the text before: a pass that is
    itself a pipeline comes after its own passes, and has changed nothing beyond what they did.

    `only` tells of a change that it is in the names of instructions alone, or in their order. What XLA did
    between its passes stands under the name `pipeline-start` of the pipeline that follows, and under
    `after_optimizations` at the end. `asked` is whether `--pass` names it, `signature` that of the call.
    """

    index: int
    pipeline: str
    pass_: str
    changed: bool
    instructions_before: int
    instructions_after: int
    ops: Mapping[str, int] = field(default_factory=dict)
    only: Literal["", "names", "order"] = ""
    asked: bool = False
    signature: str = ""


@dataclass(frozen=True, slots=True)
class PassesReport:
    """All passes that ran, in their order. `difference` is the text of `--pass`, a unified diff for each run
    that changed something; `found` are the instructions of `--op`.
    """

    command: str
    target: Target
    passes: tuple[Pass, ...]
    difference: str | None = None
    found: tuple[Found, ...] = ()
    events: tuple[CompileEvent, ...] = ()
    environment: Environment | None = None
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True)
class Found:
    """An instruction of `passes --op NAME`: the passes, by index, after which it was first and last there.

    None stands for the module that XLA was given. It is known by its name and opcode: a pass may give an
    instruction another name, and a name to another instruction.
    """

    name: str
    opcode: str
    first: int | None
    last: int | None
    signature: str = ""


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of the user's, and what became of it: how many jaxpr equations, StableHLO operations and HLO
    instructions, and in which fusions they ended. Loops count as often as they run; what a fusion reads and
    writes is divided between its lines. `share` is that of all FLOPs, or of all bytes where there are none.
    """

    file: str
    line: int
    text: str
    equations: int = 0
    operations: int = 0
    instructions: int = 0
    fusions: tuple[str, ...] = ()
    flops: int = 0
    bytes: int = 0
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class WithoutLine:
    """What no line of the user's made, or none that is known."""

    equations: int = 0
    operations: int = 0
    instructions: int = 0
    flops: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Source:
    """`lines` are those of the functions that were traced, by file."""

    lines: tuple[SourceLine, ...]
    without_line: WithoutLine
    unrolled: tuple[Unrolled, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceReport:
    command: str
    target: Target
    source: Source
    events: tuple[CompileEvent, ...] = ()
    environment: Environment | None = None
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True)
class CostOfLine:
    """A line of the user's. What several lines made, as a fusion, is divided between them; `share` is that of
    all FLOPs, or of all bytes where there are none. `file` is None for what no line made.
    """

    file: str | None
    line: int | None
    text: str
    flops: int
    transcendentals: int
    bytes: int
    share: float


@dataclass(frozen=True, slots=True)
class CostOfOp:
    """All instructions of an opcode: how many there are, and how often they run, loops included."""

    op: str
    instructions: int
    runs: int
    flops: int
    transcendentals: int
    bytes: int
    share: float


@dataclass(frozen=True, slots=True)
class CostOfLoop:
    """A `while` of the compiled program. `trip_count` is None where XLA does not know it: then one round is
    counted. `runs` is how often the loop itself is run; costs are those of all rounds of all its runs.
    """

    instruction: str
    at: str | None
    trip_count: int | None
    runs: int
    flops: int
    bytes: int
    share: float


@dataclass(frozen=True, slots=True)
class Buffer:
    """A piece of memory, as XLA assigned it: `instructions` are those whose results live in it, one after the
    other, `type` the largest of these, `at` its line. Temporaries share an `allocation`, each at its own
    `offset`; `at_peak` is whether it is in use when most of that is, None where XLA does not tell.
    """

    kind: Literal["argument", "output", "constant", "temp"]
    bytes: int
    instructions: tuple[str, ...]
    type: str | None
    at: str | None
    allocation: int
    offset: int
    at_peak: bool | None


@dataclass(frozen=True, slots=True)
class XlaCost:
    """XLA's own numbers, None where it gives none: those of `cost_analysis()`, which counts the body of a
    loop once, and the peak of `memory_analysis()`, which on CPUs has no temporaries in it.
    """

    flops: int | None = None
    transcendentals: int | None = None
    bytes: int | None = None
    peak_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """What one call costs. `once` are the same counts with the body of each loop once, to be held against
    `xla`; `memory` has XLA's sums: `argument`, `output`, `temp`, `alias`, `generated_code`. `peak_bytes` is
    arguments, outputs and temporaries together, less what is aliased; None where XLA does not tell them.

    `intensity` is FLOPs by bytes. `unmodelled` are custom calls whose FLOPs are not known, and not counted.
    `no_buffers` tells why there are none.
    """

    flops: int
    transcendentals: int
    bytes: int
    intensity: float | None
    peak_bytes: int | None
    once: Mapping[str, int]
    xla: XlaCost
    memory: Mapping[str, int]
    by_line: tuple[CostOfLine, ...]
    by_op: tuple[CostOfOp, ...]
    loops: tuple[CostOfLoop, ...]
    buffers: tuple[Buffer, ...]
    unmodelled: tuple[str, ...] = ()
    no_buffers: str | None = None
    signature: str = ""
    dims: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Growth:
    """`quantity` grows as `dim` to the `exponent`. `error` is by how much of itself the worst point of the
    sweep is off when the quantity is taken for a product of such powers.
    """

    quantity: Literal["flops", "transcendentals", "bytes", "peak_bytes"]
    dim: str
    exponent: float
    error: float


@dataclass(frozen=True, slots=True)
class CostReport:
    """`cost` is that of the first call; a sweep has all of them in `sweep`, and how they grow."""

    command: str
    target: Target
    cost: Cost
    sweep: tuple[Cost, ...] = ()
    growth: tuple[Growth, ...] = ()
    events: tuple[CompileEvent, ...] = ()
    environment: Environment | None = None
    schema: int = SCHEMA


ReadingReport = SourceReport | DonationReport | ConstantsReport | PassesReport | CostReport
