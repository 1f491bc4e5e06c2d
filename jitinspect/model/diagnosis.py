"""What this machine's JAX can do: the report of `doctor`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jitinspect.model.base import SCHEMA, Environment


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
