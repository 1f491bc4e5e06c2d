"""The cache keys of a call, and how two keys differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class MemoryKey:
    """What JAX's in-memory caches compare: `args` are the leaves by path (`x: f32[8]@cpu:0`), `context`
    the settings that differ from JAX's defaults.
    """

    function: str
    args: tuple[str, ...]
    static: Mapping[str, str] = field(default_factory=dict)
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DiskEntry:
    """What the cache folder holds for a key.

    `folder` is None if none is set, `present` is None if the folder cannot be read. `bytes` and
    `written` (UTC) are those of the entry; `obstacles` say why, or in which case, none would be written.
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

    `inputs` say, by component, what was hashed; `constants` and `operations` are those
    of the computation. Digests say that two keys differ, `inputs` say why.
    """

    key: str
    module: str
    components: Mapping[str, str]
    inputs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    entry: DiskEntry | None = None


@dataclass(frozen=True, slots=True)
class CacheKey:
    """Both keys of one call; if `disk` is None, `unavailable` says why. `dims` is as in an artifact."""

    memory: MemoryKey
    disk: DiskKey | None = None
    unavailable: str | None = None
    signature: str = ""
    dims: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs between two keys; None where a key does not have it."""

    what: str
    before: str | None
    now: str | None


@dataclass(frozen=True, slots=True)
class KeyDifference:
    """A component whose digest differs, and why; `why` is empty if the cause is not known."""

    component: str
    before: str | None
    now: str | None
    why: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """A key compared with the one saved in `file`.

    `disk_known` is false if one of the two has no on-disk key; then `disk` is empty. `other_file` means
    that JAX would look for a different file, as it does whenever a component differs.
    """

    file: str
    same: bool
    memory: tuple[Change, ...] = ()
    disk: tuple[KeyDifference, ...] = ()
    disk_known: bool = True
    other_file: bool = False
