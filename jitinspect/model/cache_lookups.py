"""Which entry of JAX's persistent cache a call would take, and what the nearest ones were made of instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jitinspect.model.base import SCHEMA, Environment
from jitinspect.model.cache import CacheEntry
from jitinspect.model.stages import CompileEvent, Target

Component = Literal["computation", "jax_lib version", "compile_options", "accelerator_config", "compression"]
"""What JAX makes a key of, and an entry shows: JAX's own names. It also hashes its backend's version, XLA's
flags as they are written, and a custom hook, which leave no trace.
"""


@dataclass(frozen=True, slots=True)
class EntryDifference:
    """What differs between what an `entry` was made of and what this `call` would be made of; None for what
    is not there. It is why the keys differ, unless it is not `certain`.
    """

    component: Component
    what: str
    entry: str | None
    call: str | None
    certain: bool = True


@dataclass(frozen=True, slots=True)
class NearEntry:
    """An entry, compared with a call. If nothing that is certain differs, `unseen` says what else may differ.
    `why_not` is why its contents cannot be compared, if so.
    """

    entry: CacheEntry
    differences: tuple[EntryDifference, ...] = ()
    unseen: tuple[str, ...] = ()
    why_not: str | None = None


@dataclass(frozen=True, slots=True)
class CacheLookup:
    """A call, and the `file` of the folder that it would take. `present` is whether that is there, None if
    the folder cannot be looked into. If it is, `entry` says what is known of it; else `obstacles` say why, or
    in which case, none would be written, and `nearest` are the entries that are most like it.

    `alike` is how many entries have a module of the same name, `entries` how many there are.
    """

    signature: str
    folder: str
    file: str
    module: str
    present: bool | None
    entry: CacheEntry | None = None
    obstacles: tuple[str, ...] = ()
    nearest: tuple[NearEntry, ...] = ()
    alike: int = 0
    entries: int = 0


@dataclass(frozen=True, slots=True)
class CacheWhyReport:
    """The result of `cache why`: a look-up for each combination of sizes that was asked for. `notes` are what
    JAX does not say about the folder and its settings.
    """

    command: str
    target: Target
    lookups: tuple[CacheLookup, ...]
    notes: tuple[str, ...] = ()
    events: tuple[CompileEvent, ...] = ()
    environment: Environment | None = None
    schema: int = SCHEMA
