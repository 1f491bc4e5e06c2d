"""What a function becomes, stage by stage: the report of the stage commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jitinspect.model.base import SCHEMA, CacheOutcome, Environment, Phase
from jitinspect.model.keys import CacheKey, Comparison

if TYPE_CHECKING:
    from jitinspect.model.explorations import Exploration
    from jitinspect.model.views import Branch, Stats


WORDS = {"jaxpr": "equation", "stablehlo": "operation", "hlo": "instruction", "hlo-before": "instruction"}
"""What each stage's text calls its operations."""


@dataclass(frozen=True, slots=True)
class AbsentDevice:
    """What a function was compiled for, where that is not here: `v5e:4x4` is a `name`, `count` the number of
    JAX's devices. With `full` the compiler ran to its end; without, it was stopped when the optimized module
    was known, before code generation. `compiler` is a package and its version.
    """

    name: str
    kind: str
    platform: str
    count: int
    full: bool
    compiler: str


@dataclass(frozen=True, slots=True)
class Target:
    """The inspected function.

    `static` and `donated` are parameter names, or positions if JAX knows no
    names. `file` and `line` are None for callables without Python source. `devices` is empty
    if it was compiled for this machine.
    """

    ref: str
    module: str
    qualname: str
    file: str | None
    line: int | None
    static: tuple[str | int, ...] = ()
    donated: tuple[str | int, ...] = ()
    signature: str = ""
    devices: tuple[AbsentDevice, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """Which part of a stage's text to show. `op` is a regular expression, `line` is `41` or `file.py:41`,
    `fusion` is a name; `neighbours` counts steps along operands and users, not lines of text.
    """

    op: str | None = None
    line: str | None = None
    fusion: str | None = None
    neighbours: int = 0
    fold: bool = False
    source: bool = False
    outline: bool = False
    stats: bool = False

    @property
    def selects(self) -> bool:
        return bool(self.op or self.line or self.fusion)

    @property
    def is_whole(self) -> bool:
        """Whether this asks for the plain text."""
        return self == View()


WHOLE = View()


@dataclass(frozen=True, slots=True)
class SavedRequest:
    """A request as command-line text, from which it can be made again."""

    ref: str
    stages: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    args_from: str | None = None
    values: bool = False
    static: tuple[str, ...] = ()
    donate: tuple[str, ...] = ()
    transforms: tuple[str, ...] = ()
    mesh: str = ""
    dims: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    platforms: tuple[str, ...] = ()
    device: str | None = None
    full: bool = False


@dataclass(frozen=True, slots=True)
class Kernel:
    """One compiled kernel of an executable.

    `instruction` is the HLO instruction (usually a fusion) that it implements.
    """

    name: str
    instruction: str | None
    text: str


@dataclass(frozen=True, slots=True)
class StageText:
    """A stage's text, its kernels if it has any, and notes about it for the user (printed on stderr)."""

    text: str
    kernels: tuple[Kernel, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Artifact:
    """What one stage made of the target.

    `text` is exactly what is printed when colour is off, without a final newline
    unless the stage itself printed one; if there is no text, it is empty and
    `unavailable` says why. `dims` are the values of a `--dim` sweep that this
    artifact is for, `platform` the requested platform, if any. `peak_bytes` is the
    peak memory of the executable, if known.
    """

    stage: str
    text: str
    sha256: str
    unavailable: str | None = None
    signature: str = ""
    dims: Mapping[str, int] = field(default_factory=dict)
    platform: str | None = None
    kernels: tuple[Kernel, ...] = ()
    peak_bytes: int | None = None
    stats: Stats | None = None
    outline: Branch | None = None


@dataclass(frozen=True, slots=True)
class CompileEvent:
    """One trace, lowering or compilation that JAX did while it was observed.

    `source` is `file:line` of the user's call, or, if there is none, of the
    function's definition. `internal` marks what JAX compiled for itself:
    eager operations such as `jnp.ones`. `cache` is set for compilations only.
    """

    seq: int
    phase: Phase
    function: str
    signature: str | None
    seconds: float
    source: str | None
    cache: CacheOutcome | None = None
    internal: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a stage command: one document, which is rendered as terminal text, JSON or HTML.

    `keys` holds one key for each combination of a `--dim` sweep, if the command asks for keys. `request`
    is the request as command-line text, so that the report can be made again.
    """

    command: str
    target: Target
    artifacts: tuple[Artifact, ...]
    events: tuple[CompileEvent, ...] = ()
    environment: Environment | None = None
    keys: tuple[CacheKey, ...] = ()
    against: Comparison | None = None
    request: SavedRequest | None = None
    exploration: Exploration | None = None
    schema: int = SCHEMA
