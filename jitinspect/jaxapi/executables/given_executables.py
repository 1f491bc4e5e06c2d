"""Programs that XLA compiled earlier, maybe elsewhere: their modules, and what stands for their functions.

`jaxlib._hlo.HloModule` reads a serialized `HloModuleProto` and prints it, without a backend;
`_jax.hlo_module_cost_analysis(client, module)` gives what `Compiled.cost_analysis()` gives. Seen on jaxlib
0.8.3 to 0.12.0.1. XLA's parsers may end the process over what is not sound: this is for `files.guarded`.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from itertools import groupby
from keyword import iskeyword
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax._src.lib import _jax  # type: ignore[attr-defined]

from jitinspect.errors import UnavailableError, first_line
from jitinspect.ir.hlo_sharding import Axes
from jitinspect.jaxapi.executables.absent import AbsentExecutable, Outcome
from jitinspect.jaxapi.executables.memory import sums_of
from jitinspect.jaxapi.executables.shardings import Placed
from jitinspect.model.communication import MeshShape

_CHECK = re.compile(r"^\w+: RET_CHECK failure \(\S+\) ")
_LONGEST = 160
_PATH = re.compile(r"([A-Za-z_]\w*)(.*)", re.DOTALL)


class ProgramArray(NamedTuple):
    """An argument or a result of a program, undivided as far as its sharding is known. `name` is its path."""

    shape: tuple[int, ...]
    dtype: str
    name: str | None = None


def module_of(proto: bytes) -> Any:
    """XLA's own module. Raises `ValueError` for bytes that are none."""
    try:
        with _hushed():
            return _hlo().HloModule.from_serialized_hlo_module_proto(proto)
    except Exception as error:  # XlaRuntimeError, JaxRuntimeError, by version
        raise ValueError(_told(error)) from None


def refusal(text: str) -> str | None:
    """What XLA's parser has against a module's text; None if it reads it."""
    try:
        with _hushed():
            _hlo().hlo_module_from_text(text)
    except Exception as error:
        return _told(error)
    return None


def cost_analysis(proto: bytes) -> dict[str, float]:
    """XLA's own costs, for which this machine's backend starts."""
    return dict(_jax.hlo_module_cost_analysis(jax.local_devices(backend="cpu")[0].client, module_of(proto)))


def _hlo() -> Any:
    """A module of its own from 0.9 on, or 0.10; before, its names are in the other."""
    try:
        found: Any = import_module("jaxlib._hlo")
    except ImportError:
        found = _jax
    if not hasattr(found, "HloModule"):
        raise UnavailableError("this JAX does not read HLO modules")
    return found


@contextmanager
def _hushed() -> Iterator[None]:
    """XLA writes its own stack to the process' stderr where it refuses a module."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _told(error: Exception) -> str:
    """What is wrong in one line, without the place in XLA's own source."""
    return textwrap.shorten(_CHECK.sub("", first_line(error)), _LONGEST, placeholder="…")


@dataclass(frozen=True)
class _Key:
    """A step in a pytree that is called what it says: `['w'].mu[0]`."""

    text: str

    def __str__(self) -> str:
        return self.text


class _Leaves:
    """Arrays of one parameter, each with what comes after the parameter's name in its path."""

    def __init__(self, paths: tuple[str, ...], values: Sequence[Any]) -> None:
        self.paths = paths
        self.values = values


jax.tree_util.register_pytree_with_keys(
    _Leaves,
    lambda leaves: (tuple(zip(map(_Key, leaves.paths), leaves.values, strict=True)), leaves.paths),
    lambda paths, values: _Leaves(paths, tuple(values)),
)


@dataclass(frozen=True, slots=True)
class StandIn:
    """A function that takes and gives what a compiled program does, under its name, and the arguments of a
    call of it.
    """

    function: Callable[..., Any]
    call: tuple[tuple[Any, ...], dict[str, Any]]

    def trace(self) -> jax.stages.Traced:
        """With arrays of 64 bits as they are."""
        args, kwargs = self.call
        with jax.enable_x64(True):
            return self.function.trace(*args, **kwargs)  # type: ignore[attr-defined, no-any-return]


def stand_in(name: str, taken: Sequence[ProgramArray], given: Sequence[ProgramArray]) -> StandIn:
    """`taken` are the arguments, whose paths the traced function has if each is known."""

    def function(*args: Any) -> Any:
        return tuple(jnp.zeros(one.shape, one.dtype) for one in given)

    parameters = list(_parameters(taken))
    function.__name__ = function.__qualname__ = name
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    made = [inspect.Parameter(parameter, kind) for parameter, _ in parameters]
    function.__signature__ = inspect.Signature(made)  # type: ignore[attr-defined]
    return StandIn(jax.jit(function, keep_unused=True), (tuple(value for _, value in parameters), {}))


def _parameters(taken: Sequence[ProgramArray]) -> Iterator[tuple[str, Any]]:
    """Numbered, unless each array has a name, and those of one parameter follow each other."""
    found = [_PATH.fullmatch(one.name or "") for one in taken]
    pairs = zip(found, taken, strict=True)
    groups = [(name, list(group)) for name, group in groupby(pairs, lambda pair: pair[0] and pair[0][1])]
    names = [name for name, _ in groups]
    if None in names or len({*names}) < len(names) or any(iskeyword(name or "") for name in names):
        yield from ((f"arg{at}", _type(one)) for at, one in enumerate(taken))
        return
    for name, group in groups:
        paths = tuple(path[2] for path, _ in group if path)
        types = [_type(one) for _, one in group]
        yield str(name), types[0] if paths == ("",) else _Leaves(paths, types)


def _type(one: ProgramArray) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(one.shape, one.dtype)


@dataclass(frozen=True, slots=True)
class GivenLowering:
    """Stands for `jax.stages.Lowered` where only the HLO is known that XLA was given."""

    text: str

    def as_text(self, dialect: str | None = None, debug_info: bool = False) -> str:
        if dialect != "hlo":
            raise self._lacking()
        return self.text

    def __getattr__(self, name: str) -> Any:
        """Whatever else a lowering has, this one cannot have."""
        raise AttributeError(name) if name.startswith("__") else self._lacking()

    def _lacking(self) -> UnavailableError:
        return UnavailableError(
            "a dump of XLA's has no StableHLO, nor what JAX knew beside it",
            hint="hlo --before has what XLA was given",
        )


@dataclass(frozen=True, slots=True)
class GivenExecutable:
    """Stands for `jax.stages.Compiled`, as far as a file tells.

    `dumped` is what XLA's dump of its compilation tells, if there is one. `placements` are how its arguments,
    and its results, lie; `axes` those of the arguments that lie along `meshes`, in their order.
    """

    no_buffers: ClassVar[str] = "a module alone does not tell its buffers"

    text: str
    proto: bytes = b""
    assignment: bytes = b""
    dumped: Outcome | None = None
    meshes: tuple[MeshShape, ...] = ()
    axes: tuple[Axes | None, ...] = ()
    placements: tuple[tuple[Placed, ...], tuple[Placed, ...]] = ((), ())

    def as_text(self) -> str:
        return self.text

    def cost_analysis(self) -> dict[str, float]:
        if not self.proto:
            raise NotImplementedError
        return cost_analysis(self.proto)

    def memory_analysis(self) -> Any:
        return self.runtime_executable().get_compiled_memory_stats()

    def runtime_executable(self) -> AbsentExecutable:
        return AbsentExecutable(self.dumped or self._outcome())

    def _outcome(self) -> Outcome:
        memory: dict[str, Any] = {}
        if self.assignment:
            memory = {f"{name}_size_in_bytes": size for name, size in sums_of(self.assignment).items()}
            memory["serialized_buffer_assignment_proto"] = self.assignment
        return Outcome(texts=(self.text,), protos=(self.proto,) if self.proto else (), memory=memory)
