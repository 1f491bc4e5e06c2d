"""What JAX did for each call of a jitted function, and why: the report of `trace-cache`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from jitinspect.model.base import NO_WORK, SCHEMA, Environment, Phase, ReasonKind, Status, Work

PartSort = Literal["plain", "array", "function", "container", "object"]
"""What a value is: a number, text or the like; an array; something that can be called; a list, tuple, dict or
set; any other object.
"""


@dataclass(frozen=True, slots=True)
class CapturedValue:
    """A value that a function closes over, or a part of one. Equal values have equal `identity`; `text` is
    what is shown. `mutable` identifies a container that can be changed in place, None for any other value.
    """

    identity: Hashable
    text: str = field(compare=False)
    sort: PartSort = field(default="plain", compare=False)
    mutable: Hashable = field(default=None, compare=False)


class Snapshot(NamedTuple):
    """A value as it was when it was read: its text, its parts by their paths (`['lr']`, `.gain`), and the
    paths of those that could not be read, of which nothing is known.
    """

    text: str
    parts: Mapping[str, CapturedValue]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """One cause of a recompile: what differs, where (a path by parameter name), before → now.

    `text` is the sentence to show, `hint` says what to do about this particular case. `avoidable` promises
    that the program can do without this cause and get the same results.
    """

    kind: ReasonKind
    where: str | None
    before: str | None
    now: str | None
    hint: str | None
    text: str
    avoidable: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """What JAX did for one call of a jitted function: a row of `trace-cache`.

    `status` is the deepest stage that ran, `seconds` the time of each. `executable` is the number of
    the one that was used, None if the call never got one. `nearest` is the `index` of the earlier call
    that the reasons compare with. `error` is the last line of what the call raised, `traceback` its
    frames (the user's own); `jax_says` is JAX's own explanation, if asked for and different from ours.
    `compilations` is 1 for COMPILED, and more if one call needs several, as under `jax.grad`.
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
    """Totals over the calls of one definition. `slow_hits` are those of the `cache_hits` that jit's fast path
    did not serve: JAX looked them up in Python.
    """

    function: str
    definition: str | None
    calls: int = 0
    compilations: int = 0
    cache_hits: int = 0
    seconds: float = 0.0
    slow_hits: int = 0


@dataclass(frozen=True, slots=True)
class SlowCalls:
    """Cached calls of one definition that jit's fast path did not serve: how many, by line (`at`) and by
    cause (`why`). `seconds` is the median of what one of them took, `fast_seconds` that of a call that it did
    serve; both are None where not both were measured.
    """

    function: str
    definition: str | None
    calls: int
    at: Mapping[str, int] = field(default_factory=dict)
    why: Mapping[str, int] = field(default_factory=dict)
    seconds: float | None = None
    fast_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class CallTotals:
    """Totals over all calls: `cache_entries` counts the executables, `cache_hits` the CACHED calls.

    `seconds` is the time of the calls' own stages.
    """

    calls: int = 0
    compilations: int = 0
    cache_entries: int = 0
    cache_hits: int = 0
    disk_hits: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Policy:
    """What padding to fewer sizes would change: compilations left, and the elements added by padding.

    `padded` is the number of elements added, `share` its ratio to the elements given.
    """

    policy: str
    compilations: int
    padded: int
    share: float


MOST_ROWS = 10_000
"""A `CallReport` counts CACHED calls beyond this many, but has no rows for them."""
MOST_WARNINGS = 20
"""Warnings that a report keeps."""


@dataclass(frozen=True, slots=True)
class CallReport:
    """The result of `trace-cache`. `omitted` counts CACHED calls that are in the totals but have no row.

    `internal` is JAX's own work, `ahead_of_time` that of `lower()` and `compile()`, `unwatched` what the
    program made JAX do in other ways: loops outside of a jit, `jax.pmap`, a jit within `jax.checkpoint`, a
    function that was jitted before the calls were watched.
    """

    script: str
    calls: tuple[Call, ...]
    functions: tuple[FunctionTotals, ...]
    totals: CallTotals
    internal: Work = NO_WORK
    ahead_of_time: Work = NO_WORK
    unwatched: Work = NO_WORK
    planned: bool = False
    omitted: int = 0
    policies: tuple[Policy, ...] = ()
    warnings: tuple[str, ...] = ()
    """What went wrong unnoticed, such as a result that JAX compiled for another value."""
    notes: tuple[str, ...] = ()
    """What else the user should know, such as of a setting that has no effect on what is cached."""
    slow: tuple[SlowCalls, ...] = ()
    stopped: str | None = None
    """Why the script ended before its last line, for example `the program called sys.exit(3)`."""
    exit_code: int = 0
    error: Mapping[str, str | int | None] | None = None
    """The mistake in the script that ended it early, if any, in the form of `JitinspectError.as_dict`."""
    environment: Environment | None = None
    command: str = "trace-cache"
    schema: int = SCHEMA
