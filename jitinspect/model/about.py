"""What `ls` tells of a module, and `doctor` of a machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jitinspect.model.base import SCHEMA, Environment


@dataclass(frozen=True, slots=True)
class ListedCallable:
    """One callable of a module, under the name that a target gives it: `fn`, `Class.method`.

    `kind` is `jax.jit`, `equinox.filter_jit`, `flax.nnx.jit`, `jax.pmap`, `function`, `method`
    or `callable` (an instance). `own` is false for what the module only imported.
    """

    name: str
    kind: str
    signature: str
    static: tuple[str | int, ...]
    donated: tuple[str | int, ...]
    file: str | None
    line: int | None
    own: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """What `ls` tells of a module."""

    module: str
    callables: tuple[ListedCallable, ...]
    command: str = "ls"
    schema: int = SCHEMA


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
