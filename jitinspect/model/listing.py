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
class DumpedModule:
    """A module in a folder of XLA's dumps, in so many `files`, `bytes` in all. `instructions` are those that
    it has in the end, or unless it `is_compiled`, those that XLA was given; None if there is no text.
    `target` is what other commands call it.
    """

    number: int
    name: str
    files: int
    bytes: int
    instructions: int | None
    is_compiled: bool
    target: str


@dataclass(frozen=True, slots=True)
class Listing:
    """The result of `ls`: the callables of a module, or the modules of a folder of dumps."""

    module: str
    callables: tuple[ListedCallable, ...]
    command: str = "ls"
    dumps: tuple[DumpedModule, ...] = ()
    schema: int = SCHEMA
