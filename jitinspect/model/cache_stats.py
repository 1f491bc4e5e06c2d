"""What recorded programs found and wrote in the cache folder: the report of `cache stats`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from jitinspect.model.base import SCHEMA


@dataclass(frozen=True, slots=True)
class CacheUse:
    """Sums over look-ups. `written` are those of the `misses` after which there is an entry.

    `saved_seconds` is what the hits would have taken to compile, less what it took to read them; negative if
    that took longer. It is the least for `rounded` hits, whose entries no recording has compiled: an entry
    tells whole seconds, without the rest.
    `compile_seconds` is what the misses took to compile, `lost_seconds` the part of it that was not written.
    """

    hits: int = 0
    misses: int = 0
    written: int = 0
    saved_seconds: float = 0.0
    compile_seconds: float = 0.0
    lost_seconds: float = 0.0
    rounded: int = 0


@dataclass(frozen=True, slots=True)
class FunctionUse:
    """Of a function of a program, and a module: `jit_step`. `internal` is what JAX compiles for itself."""

    function: str
    definition: str | None
    module: str
    use: CacheUse
    internal: bool = False


@dataclass(frozen=True, slots=True)
class EntryUse:
    """Of one entry. `present` is whether its `file` is in the folder now, None if no folder was looked into;
    `bytes` is then its size. `outcome` is that of the last look-up: `hit`, `written`, or why not.
    """

    file: str
    module: str
    use: CacheUse
    outcome: str
    present: bool | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class CacheStatsReport:
    """The result of `cache stats`: all `recordings` added up, by function and by entry, most seconds first.

    `not_written` says how often an entry was not written, by reason. `folders` are those that the recorded
    programs used, `folder` is the one that was looked into; `unused` counts its entries that no recorded
    program looked for, and `unused_bytes` their size. `unnamed` counts look-ups whose entry is not recorded.
    """

    command: str
    recordings: tuple[str, ...]
    totals: CacheUse
    functions: tuple[FunctionUse, ...]
    entries: tuple[EntryUse, ...]
    not_written: Mapping[str, int] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    folder: str | None = None
    unused: int | None = None
    unused_bytes: int | None = None
    unnamed: int = 0
    notes: tuple[str, ...] = ()
    schema: int = SCHEMA
