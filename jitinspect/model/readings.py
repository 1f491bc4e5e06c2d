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

WhyNot = Literal["dtype", "unused", "no_output", "nested_jit", "sharding", "layout"]


@dataclass(frozen=True, slots=True)
class DonatedLeaf:
    """One array of the arguments. `aliased` is the path of the output that gets its buffer, None where none
    does, for which `why` is known or not. `could_save` is what donating it would save: 0 if it is donated.
    """

    path: str
    bytes: int
    donated: bool
    aliased: str | None
    why: WhyNot | None
    could_save: int
    type: str = ""


@dataclass(frozen=True, slots=True)
class DonationReport:
    """`bytes_aliased` is XLA's own sum (`memory_analysis()`), None where it gives none."""

    command: str
    target: Target
    donation: tuple[DonatedLeaf, ...]
    bytes_aliased: int | None = None
    events: tuple[CompileEvent, ...] = ()
    environment: Environment | None = None
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True)
class Constant:
    """An array that the function closed over. `source` is the line that captured it, `enters` how it comes
    into the program: as an argument that JAX adds, or as a literal of the module.
    """

    shape: tuple[int, ...]
    dtype: str
    bytes: int
    source: str | None
    name: str | None = None
    enters: str = ""


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
    `changed` is told of the module's text without its metadata.
    """

    index: int
    pipeline: str
    pass_: str
    changed: bool
    instructions_before: int
    instructions_after: int
    ops: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PassesReport:
    """`difference` is the text of `--pass`, `found` the first and the last pass of `--op`, by their index."""

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
    """An instruction of `passes --op NAME`: the passes after which it was first and last there."""

    name: str
    opcode: str
    first: int
    last: int


ReadingReport = DonationReport | ConstantsReport | PassesReport
