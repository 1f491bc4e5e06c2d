"""The cache keys of a call, and how two of them differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


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
