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
class Diagnosis:
    """The result of `doctor`: versions, devices, where compilations are cached, which readings work."""

    environment: Environment
    devices: tuple[str, ...]
    cache_folder: str | None
    config: Mapping[str, str]
    readings: tuple[Support, ...]
    command: str = "doctor"
    schema: int = SCHEMA
