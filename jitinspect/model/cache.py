"""What JAX's persistent compilation cache holds: the reports of the `cache` commands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jitinspect.model.base import SCHEMA

State = Literal["sound", "unfinished", "damaged", "too_large", "unreadable", "refused"]
"""`unfinished` is cut off, and so young that it may still be being written. `too_large` is one whose end was
not read, `unreadable` one that could not be opened or decompressed at all, such as a FIFO. `refused` is one
that JAX could not open, or that ended the process which tried (`cache verify`).
"""


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """One entry, a `…-cache` file, as far as its bytes say; what they do not say is None.

    `bytes` is the size of the file, `age_seconds` the time since it was last written, and `used_seconds` that
    since JAX last read it, which JAX notes only while `jax_compilation_cache_max_size` is set.
    `compile_seconds` is how long JAX took, in whole seconds: 0 for less than one. `platform` is `cpu`, `tpu`,
    `cuda` or `rocm`, or `gpu` where the entry does not tell which; `built_for` the CPU, or the versions of
    libraries. `jaxlib` is None: no entry seen so far tells which one wrote it (0.10.2, 0.12.0.1).

    `loadable` is whether this machine's JAX can load it: None where only trying tells. If not, `why_not` says
    why, or else what is wrong with the entry. `source` is the first line of `function` that left a trace in
    the program, or the user's line that called JAX, as it was when the entry was written.
    """

    file: str
    module: str
    bytes: int
    age_seconds: float
    compile_seconds: int | None = None
    platform: str | None = None
    loadable: bool | None = None
    why_not: str | None = None
    source: str | None = None
    function: str | None = None
    used_seconds: float | None = None
    state: State = "sound"
    key: str = ""
    compression: Literal["zlib", "zstd"] | None = None
    expanded_bytes: int | None = None
    built_for: str | None = None
    jaxlib: str | None = None


@dataclass(frozen=True, slots=True)
class CacheTotals:
    """Sums over the entries that a report lists."""

    entries: int
    bytes: int


@dataclass(frozen=True, slots=True)
class CacheContents:
    """A folder and the `entries` that were asked for; the sums over them, and over `whole`, all its entries.

    `others` are files of the folder that are no entries, and not known to be JAX's or XLA's.
    """

    folder: str
    entries: tuple[CacheEntry, ...]
    totals: CacheTotals
    whole: CacheTotals
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CacheReport:
    """The result of `cache ls` and of `cache verify`, which has opened each entry that JAX would open.

    `notes` are what JAX does not say about this folder and its settings.
    """

    command: str
    cache: CacheContents
    notes: tuple[str, ...] = ()
    schema: int = SCHEMA


Outcome = Literal["would_go", "removed", "changed", "failed"]
"""`changed` is an entry that another process has replaced or removed after it was read: it is left alone."""


@dataclass(frozen=True, slots=True)
class PrunedEntry:
    """An entry that goes; `reason` says why. The others are as for `CacheEntry`."""

    file: str
    module: str
    bytes: int
    age_seconds: float
    used_seconds: float | None
    reason: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class PruneReport:
    """The result of `cache prune`: what goes, its `totals`, and those of what is `left`. With `dry_run`,
    nothing was removed.
    """

    command: str
    folder: str
    dry_run: bool
    pruned: tuple[PrunedEntry, ...]
    totals: CacheTotals
    left: CacheTotals
    notes: tuple[str, ...] = ()
    schema: int = SCHEMA
