"""What the readings find in a function's stages: the reports of `donation`, `constants`, `cost`, `passes`
and `source`.

Sizes are in bytes. `by` and `at` are a line of the user's code, `file:line`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from jitinspect.model.base import SCHEMA, Environment
from jitinspect.model.communication import CollectivesReport, LinkSpeed, ShardingReport
from jitinspect.model.compile_times import CompileTimeReport
from jitinspect.model.explorations import Exploration
from jitinspect.model.fit import FitReport
from jitinspect.model.pass_histories import InstructionHistory
from jitinspect.model.profiles import ProfileReport
from jitinspect.model.stages import CompileEvent, Target
from jitinspect.model.views import Unrolled

BoundBy = Literal["flops", "bytes", "links"]
WhyNot = Literal["dtype", "unused", "no_output", "nested_jit", "sharding", "layout"]


@dataclass(frozen=True, slots=True)
class DonatedLeaf:
    """One array of the arguments. `aliased` is the path of the output that gets its buffer, None if none
    does; then `why` is the reason, if it is known. `could_save` is what donating it would save: 0 if it is
    donated already.

    Bytes are those on one device. `could_alias` is the output that would get its buffer, `nearest` the
    output that is most like it: `result[0] is bf16[8,8]`. `copied` is whether its buffer is reused at the
    price of a copy; `shared_with` is an argument in the same buffer, so that JAX refuses to donate it.
    `signature` is that of the call.
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
    copied: bool = False
    shared_with: str | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """What donation comes to in one call, in bytes on one device: differences between compiled modules.

    `saved` is how much less memory the module takes than without donation, negative if it takes more; `moved`
    how many bytes more it reads and writes; `could_save` how much less it would take if all that has a
    `could_save` were donated as well. None if XLA does not tell its memory.

    `order` are the elements of the returned tuple in a better order, empty if there is none; in that order
    `order_saves` is what `saved` would be, with `order_donates` donated, and `order_moved` what `moved`
    would be.
    """

    signature: str
    saved: int | None
    moved: int
    could_save: int | None
    order: tuple[str, ...] = ()
    order_saves: int = 0
    order_moved: int = 0
    order_donates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DonationReport:
    """`savings` has an element for each call, but for those of which `unknown` says why they are not known.
    `bytes_aliased` is XLA's own sum (`memory_analysis()`) over all calls, None if it gives none.
    `unknown` says why the savings of a call are not known, if they are not.
    """

    command: str
    target: Target
    donation: tuple[DonatedLeaf, ...]
    bytes_aliased: int | None = None
    unknown: str | None = None
    savings: tuple[Saved, ...] = ()
    events: tuple[CompileEvent, ...] = ()
    environment: Environment | None = None
    exploration: Exploration | None = None
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True)
class Constant:
    """An array that the function closed over. `source` is the line that captured it, `enters` says how it
    gets into the program: as an argument that JAX adds, or as a literal in the module. `name` is that of a
    variable that holds it, `uses` the number of equations that take it.
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
    """Of a file, `of_file`, they are the arrays in its module."""

    command: str
    target: Target
    constants: tuple[Constant, ...]
    events: tuple[CompileEvent, ...] = ()
    environment: Environment | None = None
    of_file: bool = False
    exploration: Exploration | None = None
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True)
class Pass:
    """One step of XLA's pipelines. `ops` is how many instructions of each opcode were added (or, if negative,
    removed). `changed` compares the module's text, without its metadata, with the text before: a pass that is
    itself a pipeline comes after its own passes, and changes nothing beyond what they did.

    `only` says that a change affects only the names of instructions, or only their order. What XLA did
    between its passes is listed under the name `pipeline-start` of the pipeline that follows, and under
    `after_optimizations` at the end. `asked` is whether `--pass` names it, `signature` is that of the call.
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
    """All passes that ran, in order. `difference` is the output of `--pass`, a unified diff for each run
    that changed something; `found` are the instructions of `--op`, and `histories` that of the only one, for
    each call.
    """

    command: str
    target: Target
    passes: tuple[Pass, ...]
    difference: str | None = None
    found: tuple[Found, ...] = ()
    histories: tuple[InstructionHistory, ...] = ()
    events: tuple[CompileEvent, ...] = ()
    environment: Environment | None = None
    exploration: Exploration | None = None
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True)
class Found:
    """An instruction of `passes --op NAME`: the indices of the passes after which it was first and last
    there.

    None stands for the module that XLA was given. An instruction is identified by name and opcode: a pass may
    rename an instruction, and may reuse a name.
    """

    name: str
    opcode: str
    first: int | None
    last: int | None
    signature: str = ""


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of the user's code, and what became of it: how many jaxpr equations, StableHLO operations and
    HLO instructions, and which fusions they ended up in. Loops count as often as they run; what a fusion
    reads and writes is divided among its lines. `share` is that of all FLOPs, or of all bytes if there are no
    FLOPs. `wire_bytes` are what its collectives send from one device to others.
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
    wire_bytes: int = 0


@dataclass(frozen=True, slots=True)
class WithoutLine:
    """What no line of the user's code made, as far as is known."""

    equations: int = 0
    operations: int = 0
    instructions: int = 0
    flops: int = 0
    bytes: int = 0
    wire_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Source:
    """`lines` are those of the functions that were traced, by file. The program runs on so many `devices`;
    FLOPs and bytes are those of one. `stages` are those that were counted: a compiled file has not all.
    """

    lines: tuple[SourceLine, ...]
    without_line: WithoutLine
    unrolled: tuple[Unrolled, ...] = ()
    devices: int = 1
    stages: tuple[str, ...] = ("jaxpr", "stablehlo", "hlo")


@dataclass(frozen=True, slots=True)
class SourceReport:
    command: str
    target: Target
    source: Source
    events: tuple[CompileEvent, ...] = ()
    environment: Environment | None = None
    exploration: Exploration | None = None
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True)
class ExploreReport:
    command: str
    target: Target
    exploration: Exploration
    events: tuple[CompileEvent, ...] = ()
    environment: Environment | None = None
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True)
class CostOfLine:
    """A line of the user's code. What several lines made, such as a fusion, is divided among them; `share` is
    that of all FLOPs, or of all bytes if there are no FLOPs. `file` is None for what no line made.
    `wire_bytes` are what its collectives send from one device to others.

    With `--target`: `hbm_bytes` are those of the device's main memory, `bound_seconds` is the least time that
    FLOPs, bytes and links need, and `bound_by` which of them needs it. `cycles` are what a TPU's compiler
    estimates, with `--full`.
    """

    file: str | None
    line: int | None
    text: str
    flops: int
    transcendentals: int
    bytes: int
    share: float
    hbm_bytes: int | None = None
    bound_seconds: float | None = None
    bound_by: BoundBy | None = None
    cycles: int | None = None
    wire_bytes: int = 0


@dataclass(frozen=True, slots=True)
class CyclesOfInstruction:
    """The cycles that a TPU's compiler estimates for all runs of an instruction of the compiled program; None
    if it notes none. `at` is the first of its lines.
    """

    instruction: str
    cycles: int | None
    runs: int
    at: str | None


@dataclass(frozen=True, slots=True)
class CostOfOp:
    """All instructions with one opcode: how many there are, and how often they run, loops included."""

    op: str
    instructions: int
    runs: int
    flops: int
    transcendentals: int
    bytes: int
    share: float
    wire_bytes: int = 0


@dataclass(frozen=True, slots=True)
class CostOfLoop:
    """A `while` of the compiled program. `trip_count` is None if XLA does not know it: then one iteration is
    counted. `runs` is how often the loop itself runs; costs are those of all iterations of all runs.
    """

    instruction: str
    at: str | None
    trip_count: int | None
    runs: int
    flops: int
    bytes: int
    share: float


@dataclass(frozen=True, slots=True)
class CostOfBranch:
    """A branch of a `conditional` of the compiled program, its `index` among `of`: what one run of it costs,
    and the line of its most expensive instruction. One branch is `counted` in all `runs` of the conditional,
    the one with the most FLOPs, then the most bytes: which one a program takes depends on data.
    """

    instruction: str
    index: int
    of: int
    counted: bool
    runs: int
    flops: int
    bytes: int
    at: str | None


@dataclass(frozen=True, slots=True)
class Buffer:
    """A piece of memory, as XLA assigned it: `instructions` are those whose results live in it, one after the
    other, `type` is that of the largest of them, `at` its line. Temporaries share an `allocation`, each at
    its own `offset`; `at_peak` is whether it is in use when the allocation is at its
    fullest, None where XLA does not tell.
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
    """XLA's own numbers, None if it gives none: those of `cost_analysis()`, which counts the body of a
    loop once, and the peak of `memory_analysis()`, which on CPUs leaves out temporaries.
    """

    flops: int | None = None
    transcendentals: int | None = None
    bytes: int | None = None
    peak_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """FLOPs that a device makes at one rate: on numbers of one `dtype`, in matrix products and convolutions
    or not. `peak` is the name of the device's peak that holds for them, `per_second` that peak in FLOP/s;
    None if none is public, and then these FLOPs take no part in a bound. Each product takes `products` at
    that peak: 6 if XLA makes one of f32 of six of bf16. `precision` is that of the HLO, or its algorithm.
    """

    dtype: str
    is_product: bool
    precision: str
    flops: int
    peak: str | None
    products: int
    per_second: float | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Roofline:
    """The least time that a call needs on a device that it was compiled for, and the public facts that say
    so: not a prediction. `device` is its name as given, `kind` what JAX calls it, `bandwidth` that of its
    main memory in bytes/s; `source` says where peaks and bandwidth are published.

    `flops` are those with a peak, of the units that need longest, matrix units or scalar ones; `hbm_bytes`
    those of the device's main memory. `bound_seconds` is the greatest of what these and the links need,
    `bound_by` says which. `intensity` is `flops` per byte, `ridge` the intensity at which both would need the
    same. `rates` are all FLOPs, by the peak that holds for them. `assumptions` are what else has to be true
    of the bound, as clauses.

    `collectives` are instructions that send data between devices, `wire_bytes` what one device sends in all
    their runs; at the speed of its `links` that needs `links_seconds`. These two are None if there is nothing
    to send, or if the speed is not known: then the bound leaves it out.
    """

    device: str
    kind: str
    bandwidth: int
    flops: int
    hbm_bytes: int
    flops_seconds: float
    bytes_seconds: float
    bound_seconds: float
    bound_by: BoundBy | None
    intensity: float | None
    ridge: float | None
    rates: tuple[Rate, ...]
    collectives: tuple[str, ...] = ()
    source: str = ""
    assumptions: tuple[str, ...] = ()
    wire_bytes: int = 0
    links: LinkSpeed | None = None
    links_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """What one call costs, on one of the `devices` that the program runs on. `once` are the same counts with
    the body of each loop counted once, for comparison with `xla`; `memory` has XLA's sums: `argument`,
    `output`, `temp`, `alias`, `generated_code`. `peak_bytes` is arguments, outputs and temporaries together,
    less what is aliased; None if XLA does not report them.

    `least` and `most` are the least and the most of each quantity, whichever of the `branches` run; empty if
    there are none. `unlike_xla` says what is counted otherwise than in `xla`, in the plural, for `flops` and
    for `bytes`: `custom calls`, `complex numbers`.

    `wire_bytes` are what the device sends to others, `collectives` how many instructions do.
    `intensity` is FLOPs per byte. `unmodelled` are custom calls whose FLOPs are unknown and not counted.
    `no_buffers` says why there are no `buffers`.

    `hbm_bytes`, `bound_seconds`, `bound_by` and `roofline` are those of the device of `--target`; None
    without one. `cycles` is the sum of what a TPU's compiler estimates for its instructions, which
    `by_instruction` lists, the longest first; None without `--full`, and for other devices.
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
    branches: tuple[CostOfBranch, ...] = ()
    least: Mapping[str, int] = field(default_factory=dict)
    most: Mapping[str, int] = field(default_factory=dict)
    unlike_xla: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hbm_bytes: int | None = None
    bound_seconds: float | None = None
    bound_by: BoundBy | None = None
    roofline: Roofline | None = None
    cycles: int | None = None
    by_instruction: tuple[CyclesOfInstruction, ...] = ()
    devices: int = 1
    collectives: int = 0
    wire_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Growth:
    """`quantity` grows as `dim` to the power `exponent`. `error` is the largest relative error over the
    points of the sweep when the quantity is modelled as a product of such powers.
    """

    quantity: Literal["flops", "transcendentals", "bytes", "peak_bytes", "wire_bytes"]
    dim: str
    exponent: float
    error: float


@dataclass(frozen=True, slots=True)
class CostReport:
    """`cost` is that of the first call. For a sweep over sizes or devices, `sweep` has all of them, and
    `growth` how they grow with the sizes, if they are for one device.
    """

    command: str
    target: Target
    cost: Cost
    sweep: tuple[Cost, ...] = ()
    growth: tuple[Growth, ...] = ()
    events: tuple[CompileEvent, ...] = ()
    environment: Environment | None = None
    exploration: Exploration | None = None
    schema: int = SCHEMA


ReadingReport = (
    SourceReport
    | DonationReport
    | ConstantsReport
    | PassesReport
    | CostReport
    | FitReport
    | CollectivesReport
    | ShardingReport
    | CompileTimeReport
    | ProfileReport
    | ExploreReport
)
