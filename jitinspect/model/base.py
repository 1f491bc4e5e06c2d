"""What all reports share: the field's vocabulary, where a report was made, work that belongs to no call."""

from __future__ import annotations

from dataclasses import dataclass
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
class Work:
    """Compilations that belong to no call: JAX's own eager operations, or what was compiled ahead of time."""

    compilations: int = 0
    seconds: float = 0.0
    disk_hits: int = 0


NO_WORK = Work()
