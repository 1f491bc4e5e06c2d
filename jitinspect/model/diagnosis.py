"""What this machine's JAX can do: the report of `doctor`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jitinspect.model.base import SCHEMA, Environment


@dataclass(frozen=True, slots=True)
class Support:
    """Whether this machine supports a reading; if not, `why` says what is missing."""

    reading: str
    available: bool
    why: str | None = None


@dataclass(frozen=True, slots=True)
class TargetSupport:
    """A device that need not be here, and whether this machine can compile for it.

    `kind` is what JAX calls it, `memory` that of one JAX device, in bytes. If it cannot be compiled for,
    `why` says what is missing, and `install` is the line to type.
    """

    name: str
    platform: str
    kind: str
    memory: int
    available: bool
    why: str | None = None
    install: str | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The result of `doctor`: versions, devices, where compilations are cached, which readings work, and
    which other devices can be compiled for. `cache_notes` are what JAX does not say of its cache folder.
    """

    environment: Environment
    devices: tuple[str, ...]
    cache_folder: str | None
    config: Mapping[str, str]
    readings: tuple[Support, ...]
    targets: tuple[TargetSupport, ...] = ()
    cache_notes: tuple[str, ...] = ()
    command: str = "doctor"
    schema: int = SCHEMA
