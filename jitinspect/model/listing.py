"""The callables of a module: the report of `ls`."""

from __future__ import annotations

from dataclasses import dataclass

from jitinspect.model.base import SCHEMA


@dataclass(frozen=True, slots=True)
class ListedCallable:
    """One callable of a module, named as a target names it: `fn`, `Class.method`.

    `kind` is `jax.jit`, `equinox.filter_jit`, `flax.nnx.jit`, `jax.pmap`, `function`, `method`
    or `callable` (an instance). `own` is false if the module only imports it.
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
    """The result of `ls`."""

    module: str
    callables: tuple[ListedCallable, ...]
    command: str = "ls"
    schema: int = SCHEMA
