"""What a file of `jax.export` holds: the report of `export`."""

from __future__ import annotations

from dataclasses import dataclass

from jitinspect.model.base import SCHEMA, Environment
from jitinspect.model.stages import CompileEvent, Target


@dataclass(frozen=True, slots=True)
class ExportedArray:
    """An argument, by the path of its leaf, or a result. `type` may have dimensions without a size,
    `f32[b,784]`. `sharding` is None where it is left open; an argument that is not `used` is none of the
    module's. `donated` is whether the exported function takes its buffer.
    """

    path: str
    type: str
    sharding: str | None = None
    used: bool = True
    donated: bool = False


@dataclass(frozen=True, slots=True)
class CustomCall:
    """What the module calls outside of itself. JAX promises that what is `stable` goes on to work."""

    name: str
    stable: bool


@dataclass(frozen=True, slots=True)
class Exported:
    """`calling_convention` is the version by which JAX calls the module, `supported` the least and the
    greatest that this JAX knows. `schema` is the version of the file's form, `written_by` the JAX that wrote
    it, if it says so (0.12 does), `stablehlo` what its module was written for. `dims` are dimensions without
    a size.
    """

    function: str
    file: str
    bytes: int
    sha256: str
    platforms: tuple[str, ...]
    devices: int
    calling_convention: int
    supported: tuple[int, int]
    schema: int
    written_by: str | None
    stablehlo: str
    has_vjp: bool
    dims: tuple[str, ...] = ()
    arguments: tuple[ExportedArray, ...] = ()
    results: tuple[ExportedArray, ...] = ()
    effects: tuple[str, ...] = ()
    custom_calls: tuple[CustomCall, ...] = ()
    disabled_checks: tuple[str, ...] = ()

    @property
    def is_supported(self) -> bool:
        least, greatest = self.supported
        return least <= self.calling_convention <= greatest


@dataclass(frozen=True, slots=True)
class ExportReport:
    command: str
    target: Target
    exported: Exported
    events: tuple[CompileEvent, ...] = ()
    environment: Environment | None = None
    schema: int = SCHEMA
