"""What a sharded program is expected to move, in closed form, and the lines that were written to cause it."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
from jax.sharding import AbstractMesh, AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

BF16, F32, C64 = 2, 4, 8
"""Bytes."""
IS_NEW = jax.__version_info__ >= (0, 12)
"""Of the two JAX versions that the closed forms hold for, the newer one, 0.12.0.1; the other is 0.10.2."""


@dataclass(frozen=True)
class Move:
    """A collective: bytes that a device gives and gets in one run, and how often it runs; None if data say.

    `axes` are of the mesh; `data:(2)2` is a part of one, of two, above which are two. `in_branch`: it runs
    only if a branch is taken. `mark` is what `# moves:` names on the lines that were written to cause it; its
    kind if empty.
    """

    kind: str
    axes: tuple[str, ...]
    bytes_in: int
    bytes_out: int
    runs: int | None = 1
    asked_by: str = "partitioner"
    mark: str = ""
    in_branch: bool = False

    def group(self, mesh: Mapping[str, int]) -> int:
        """How many devices exchange."""
        return math.prod(int(axis.partition(")")[2] or mesh[axis]) for axis in self.axes)

    def wire_bytes(self, mesh: Mapping[str, int]) -> int:
        """What a device sends in one run if a ring of n is used, rounded up."""
        n = self.group(mesh)
        times_n = {
            "all-gather": self.bytes_out * (n - 1),
            "reduce-scatter": self.bytes_in * (n - 1),
            "all-reduce": 2 * self.bytes_in * (n - 1),
            "all-to-all": self.bytes_in * (n - 1),
            "ragged-all-to-all": self.bytes_in * (n - 1),
            "collective-permute": self.bytes_in * n,
        }
        return math.ceil(times_n[self.kind] / n)


def all_gather(axis: str, part: int, n: int, **more: Any) -> Move:
    """Each of n devices gives its part, and gets all of them."""
    return Move("all-gather", (axis,), part, part * n, **more)


def reduce_scatter(axis: str, whole: int, n: int, **more: Any) -> Move:
    """Each of n devices gives all, and gets the sum of its part."""
    return Move("reduce-scatter", (axis,), whole, whole // n, **more)


def all_reduce(axis: str, size: int, **more: Any) -> Move:
    return Move("all-reduce", (axis,), size, size, **more)


def all_to_all(axis: str, size: int, **more: Any) -> Move:
    return Move("all-to-all", (axis,), size, size, **more)


def permute(axis: str, size: int, **more: Any) -> Move:
    return Move("collective-permute", (axis,), size, size, **more)


@dataclass(frozen=True)
class Case:
    """A program over a mesh; `args(mesh)` are the types of its arguments, and `moves(**mesh)` what it moves.

    `jitted(mesh)` is what is compiled, if that is not the function itself. The mesh's axes are explicit ones
    if `explicit`, else automatic ones; GSPMD partitions it unless `is_shardy`. `target` is a slice of TPUs
    that it is compiled for, None for CPU devices.
    """

    function: Callable[..., Any]
    mesh: dict[str, int]
    args: Callable[[Mesh], Sequence[Any]]
    moves: Callable[..., list[Move]]
    jitted: Callable[[Mesh], Callable[..., Any]] | None = None
    explicit: bool = False
    is_shardy: bool = True
    target: str | None = None

    @property
    def name(self) -> str:
        return self.function.__name__

    def over(self, devices: Sequence[Any]) -> Mesh:
        """The mesh, of the first devices."""
        shape = tuple(self.mesh.values())
        kind = AxisType.Explicit if self.explicit else AxisType.Auto
        chosen = [devices[at] for at in range(math.prod(shape))]
        return jax.make_mesh(shape, tuple(self.mesh), (kind,) * len(shape), devices=chosen)

    def on(self, mesh: Mesh) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """What is compiled, and the types of its arguments."""
        return self.jitted(mesh) if self.jitted else self.function, tuple(self.args(mesh))

    def lines(self, move: Move) -> set[int]:
        """Those of the function that are marked for it; of its file if the mark names the function."""
        text, first = inspect.getsourcelines(self.function)
        if self.name in move.mark:
            text, first = inspect.getsource(inspect.getmodule(self.function)).splitlines(), 1
        return {first + at for at, line in enumerate(text) if (move.mark or move.kind) in marks(line)}


def marks(line: str) -> list[str]:
    """`# moves: all-gather, all-reduce` → both."""
    return [mark.strip() for mark in line.partition("# moves: ")[2].split(",")]


def mesh_of(x: jax.Array) -> AbstractMesh:
    """The mesh that an argument is sharded over, while it is traced."""
    return jax.typeof(x).sharding.mesh


def over(x: jax.Array, *spec: Any) -> NamedSharding:
    """The sharding, over the mesh of an argument."""
    return NamedSharding(mesh_of(x), P(*spec))


def array(mesh: Mesh, shape: tuple[int, ...], *spec: Any, dtype: str = "float32") -> Any:
    return jax.ShapeDtypeStruct(shape, dtype, sharding=NamedSharding(mesh, P(*spec)))
