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


ReadingReport = SourceReport | DonationReport | ConstantsReport | PassesReport
