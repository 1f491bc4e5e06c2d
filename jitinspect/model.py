"""The frozen dataclasses that cross every wall.

The core makes them, `render` prints them, `view` reads them back: nothing else
passes between the two, and nothing here knows of JAX or of a terminal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

SCHEMA = 1
"""Version of the JSON documents; within one version keys are only ever added."""

Phase = Literal["trace", "lower", "compile"]
CacheOutcome = Literal["hit", "miss", "off"]
Status = Literal["CACHED", "TRACED", "LOWERED", "COMPILED", "DISK"]
ReasonKind = Literal[
    "first_call", "shape", "dtype", "weak_type", "structure", "static_value", "call_form", "committed",
    "device", "sharding", "memory_kind", "layout", "config", "mesh", "new_function", "closure",
    "jit_options", "transformation", "cache_cleared", "unknown",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Environment:
    """Where a report was made: versions, and the devices that JAX saw."""

    jitinspect: str
    jax: str
    jaxlib: str
    python: str
    platform: str
    device_kind: str
    device_count: int
    xla_flags: str


@dataclass(frozen=True, slots=True)
class Target:
    """The inspected function.

    `static` and `donated` are parameter names, or positions where JAX knows no
    names. `file` and `line` are None for callables without Python source.
    """

    ref: str
    module: str
    qualname: str
    file: str | None
    line: int | None
    static: tuple[str | int, ...] = ()
    donated: tuple[str | int, ...] = ()
    signature: str = ""


@dataclass(frozen=True, slots=True)
class Kernel:
    """One compiled kernel of an executable.

    `instruction` is the HLO instruction (most often a fusion) it implements.
    """

    name: str
    instruction: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A stage's text, its kernels where it has some, and notes about it for the reader (stderr)."""

    text: str
    kernels: tuple[Kernel, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Artifact:
    """What one stage made of the target.

    `text` is exactly what is printed when colour is off, without a final newline
    that the stage itself did not print; it is empty where `unavailable` says why
    there is none. `dims` are the values of a `--dim` sweep that this artifact is
    for, `platform` the one it was lowered for if that was asked.
    """

    stage: str
    text: str
    sha256: str
    unavailable: str | None = None
    signature: str = ""
    dims: Mapping[str, int] = field(default_factory=dict)
    platform: str | None = None
    kernels: tuple[Kernel, ...] = ()


@dataclass(frozen=True, slots=True)
class CompileEvent:
    """One trace, lowering or compilation that JAX did while it was observed.

    `source` is `file:line` of the user's call, or where there is none of the
    definition of the function. `internal` marks what JAX compiled for itself:
    eager operations such as `jnp.ones`. `cache` is told for compilations only.
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
class Reason:
    """One cause of a recompile: what differs, where (a path by parameter name), before → now.

    `text` is the sentence for a person, `hint` what to do about this very case.
    """

    kind: ReasonKind
    where: str | None
    before: str | None
    now: str | None
    hint: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """What JAX did for one call of a jitted function: a row of `trace-cache`.

    `status` is the deepest stage that ran, `seconds` the time of each. `executable` is the number of
    the one that was used, None where the call came to none. `nearest` is the `index` of the earlier call
    that the reasons compare with. `error` is the last line of what the call raised, `traceback` its
    frames (the user's own); `jax_says` JAX's own explanation, where it was asked for and says something else.
    `compilations` is 1 for COMPILED, and more where one call needs several, as under `jax.grad`.
    """

    index: int
    function: str
    definition: str | None
    at: str | None
    signature: str
    status: Status
    executable: int | None
    stages: tuple[Phase, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    compilations: int = 0
    nearest: int | None = None
    reasons: tuple[Reason, ...] = ()
    error: str | None = None
    traceback: str | None = None
    jax_says: str | None = None


@dataclass(frozen=True, slots=True)
class FunctionTotals:
    """The calls of one definition, added up."""

    function: str
    definition: str | None
    calls: int = 0
    compilations: int = 0
    cache_hits: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class CallTotals:
    """All calls, added up: `cache_entries` counts the executables, `cache_hits` the calls that were CACHED.

    `seconds` is the time of the calls' own stages.
    """

    calls: int = 0
    compilations: int = 0
    cache_entries: int = 0
    cache_hits: int = 0
    disk_hits: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Work:
    """Compilations that belong to no call: JAX's own eager operations, or what was compiled ahead of time."""

    compilations: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Policy:
    """What padding to fewer sizes would change: compilations left, and the elements padded for them.

    `padded` is the number of elements added, `share` that number relative to the elements given.
    """

    policy: str
    compilations: int
    padded: int
    share: float


MOST_ROWS = 10_000
"""CACHED calls beyond this many are counted in a `CallReport` and have no row."""


@dataclass(frozen=True, slots=True)
class CallReport:
    """The result of `trace-cache`. `omitted` counts CACHED calls that are in the totals and have no row.

    `internal` is JAX's own work, `ahead_of_time` that of lower and compile, `unwatched` that for functions
    which were jitted by something else than `jax.jit`, such as `pjit`.
    """

    script: str
    calls: tuple[Call, ...]
    functions: tuple[FunctionTotals, ...]
    totals: CallTotals
    internal: Work = Work()
    ahead_of_time: Work = Work()
    unwatched: Work = Work()
    planned: bool = False
    omitted: int = 0
    policies: tuple[Policy, ...] = ()
    stopped: str | None = None
    """Why the script ended before its last line, such as `the program called sys.exit(3)`."""
    exit_code: int = 0
    error: Mapping[str, str | int | None] | None = None
    """What ended the script early, if it was a mistake in it: as in the document of an error."""
    environment: Environment | None = None
    command: str = "trace-cache"
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True)
class MemoryKey:
    """What JAX's in-memory caches compare: `args` are the leaves by path (`x: f32[8]@cpu:0`), `context`
    the settings that are not JAX's defaults.
    """

    function: str
    args: tuple[str, ...]
    static: Mapping[str, str] = field(default_factory=dict)
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DiskEntry:
    """What the cache folder has of a key.

    `folder` is None where none is set, `present` where the folder cannot be looked into. `bytes` and
    `written` (UTC) are those of the entry; `obstacles` say why, or unless what, none would be written.
    """

    folder: str | None
    present: bool | None = False
    bytes: int | None = None
    written: str | None = None
    obstacles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DiskKey:
    """The key of the on-disk cache: `key` is the file's name before `-cache`, `module` its first part,
    `components` the sha256 of each of the parts that JAX hashes, in its order.

    `inputs` tell, by component, what those were made of; `constants` and `operations` are those
    of the computation. Digests say that two keys differ, these say why.
    """

    key: str
    module: str
    components: Mapping[str, str]
    inputs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    entry: DiskEntry | None = None


@dataclass(frozen=True, slots=True)
class CacheKey:
    """Both keys of one call; where `disk` is None, `unavailable` says why. `dims` as for an artifact."""

    memory: MemoryKey
    disk: DiskKey | None = None
    unavailable: str | None = None
    signature: str = ""
    dims: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs between two keys; None where one of the two does not have it."""

    what: str
    before: str | None
    now: str | None


@dataclass(frozen=True, slots=True)
class KeyDifference:
    """A component whose digest differs, and why; `why` is empty where the cause is not known."""

    component: str
    before: str | None
    now: str | None
    why: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """A key held against the saved one of `file`.

    `disk_known` is false where one of the two has no on-disk key; then `disk` is empty. `other_file` tells
    that JAX would look for another file, as it does wherever a component differs.
    """

    file: str
    same: bool
    memory: tuple[Change, ...] = ()
    disk: tuple[KeyDifference, ...] = ()
    disk_known: bool = True
    other_file: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a stage command: one document, of which terminal, JSON and HTML are renderings.

    `keys` holds one for each combination of a `--dim` sweep, if the command gives the key at all.
    """

    command: str
    target: Target
    artifacts: tuple[Artifact, ...]
    events: tuple[CompileEvent, ...] = ()
    environment: Environment | None = None
    keys: tuple[CacheKey, ...] = ()
    against: Comparison | None = None
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True)
class ListedCallable:
    """One callable of a module, under the name that a target gives it: `fn`, `Class.method`.

    `kind` is `jax.jit`, `equinox.filter_jit`, `flax.nnx.jit`, `jax.pmap`, `function`, `method`
    or `callable` (an instance). `own` is false for what the module only imported.
    """

    name: str
    kind: str
    signature: str
    static: tuple[str | int, ...]
    donated: tuple[str | int, ...]
    file: str | None
    line: int | None
    own: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """What `ls` tells of a module."""

    module: str
    callables: tuple[ListedCallable, ...]
    command: str = "ls"
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True)
class Support:
    """Whether this machine gives a reading; `why` says what is missing where it does not."""

    reading: str
    available: bool
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What `doctor` tells: versions, devices, where compilations are cached, which readings there are."""

    environment: Environment
    devices: tuple[str, ...]
    cache_folder: str | None
    config: Mapping[str, str]
    readings: tuple[Support, ...]
    command: str = "doctor"
    schema: int = SCHEMA
