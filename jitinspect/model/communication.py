"""What `collectives` and `sharding` find: what moves between devices, and how arrays lie on a mesh.

Sizes are in bytes on one device, unless they say otherwise. `file` and `line` are a line of the user's code.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Literal

from jitinspect.model.base import SCHEMA, Environment
from jitinspect.model.explorations import Exploration
from jitinspect.model.stages import CompileEvent, Target

AskedBy = Literal["user", "partitioner"]


@dataclass(frozen=True, slots=True)
class MeshShape:
    """A mesh: its axes, their sizes, and the ids of its devices, the last axis first to advance."""

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    devices: tuple[int, ...] = ()

    @property
    def axes(self) -> dict[str, int]:
        """The size of each axis."""
        return dict(zip(self.names, self.sizes, strict=True))

    def part(self, name: str, before: int, size: int) -> str:
        """`data:(1)2`, as Shardy writes a part of an axis: of size 2, with 1 part of the axis before it;
        `data` if that is all of it.
        """
        return name if size == self.axes[name] else f"{name}:({before}){size}"

    def size_and_stride(self, axis: str) -> tuple[int, int]:
        """Of an axis, or of a part of one: its size, and how many devices one step along it goes on."""
        name, _, part = axis.partition(":(")
        at = self.names.index(name)
        whole, after = self.sizes[at], prod(self.sizes[at + 1 :])
        before, size = map(int, part.split(")")) if part else (1, whole)
        return size, after * whole // (before * size)


@dataclass(frozen=True, slots=True)
class Collective:
    """A collective instruction of the compiled program. An asynchronous one counts where it starts.

    `axes` are those of the user's mesh that it runs over, `data:(1)2` for a part of an axis as Shardy writes
    it; empty if its groups are along no axes. `group` is how many devices take part in each of `groups`
    groups. `bytes_in` and `bytes_out` are what a device gives and gets, `wire_bytes` what it sends over links
    if a ring is used, each for one run. It runs `runs` times, None if that depends on data. Of a loop that
    ends when data say so, one iteration is counted: all in all `counted_runs`. `in_branch` is whether it runs
    only if data say so: the branch is counted as taken each time.
    `instructions` are the names of all instructions that carry it out: XLA for TPUs splits some into three.

    `asked_by` is "user" for one that the program calls itself, such as `psum`, and `primitive` is the name of
    what asked for it. Of the partitioner's, `before` and `after` are the shardings that it goes between, with
    `?` for a dimension of which that is not known. `value` is what is moved: the path of an argument, or the
    primitive that made it. `lines` are all `file:line` that caused it, more than one if XLA merged several;
    `line_bytes` are the parts of `wire_bytes` that are for each.

    `overlaps` are the instructions that run while an asynchronous one is under way; None if it is
    synchronous. `seconds` is the least time of all runs at the device's public link bandwidth. `hint` says
    what would move less, if that is known. `repeats` is how often the partitioner's sum adds each value:
    above 1, what comes out is so many times too large.
    """

    kind: str
    instruction: str
    file: str | None
    line: int | None
    axes: tuple[str, ...]
    group: int
    bytes_in: int
    bytes_out: int
    wire_bytes: int
    runs: int | None
    asked_by: AskedBy
    groups: int = 1
    counted_runs: int = 1
    in_branch: bool = False
    instructions: tuple[str, ...] = ()
    type: str = ""
    text: str = ""
    lines: tuple[str, ...] = ()
    line_bytes: tuple[int, ...] = ()
    primitive: str = ""
    value: str | None = None
    before: str | None = None
    after: str | None = None
    overlaps: tuple[str, ...] | None = None
    seconds: float | None = None
    hint: str | None = None
    signature: str = ""
    repeats: int = 1

    @property
    def moved_bytes(self) -> int:
        """What a device sends in all runs that are counted."""
        return self.wire_bytes * self.counted_runs


@dataclass(frozen=True, slots=True)
class Moved:
    """A total: of a kind, of axes such as `data,model`, or of a line, which has its `text`. `wire_bytes` are
    those of all `runs`, as they are counted.
    """

    name: str
    instructions: int
    runs: int
    wire_bytes: int
    seconds: float | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class LinkSpeed:
    """What a device of `--target` can send per second over all its links together, by a public source; `kind`
    is what its maker calls them.
    """

    device: str
    bandwidth: int
    source: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class CollectivesReport:
    """All collectives of the calls, in the order of the compiled program; those that move most first in the
    totals.
    """

    command: str
    target: Target
    collectives: tuple[Collective, ...]
    wire_bytes: int = 0
    by_kind: tuple[Moved, ...] = ()
    by_axes: tuple[Moved, ...] = ()
    by_line: tuple[Moved, ...] = ()
    meshes: tuple[MeshShape, ...] = ()
    links: tuple[LinkSpeed, ...] = ()
    events: tuple[CompileEvent, ...] = ()
    environment: Environment | None = None
    exploration: Exploration | None = None
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True)
class ArraySharding:
    """How an array lies on the mesh: `spec` is its `P(…)`, None if it has none; then `form` says what it has
    instead, `manual` inside a shard_map. `axes` are those that divide each dimension, the outer one
    first, `data:(1)2` for a part of an axis as Shardy writes it. Over `manual` axes the shapes are of one
    device alone; over `unreduced` ones each device has a term of a sum.

    `replicated` is whether each device holds all of it. `free_axes` are axes of the mesh that it is not
    sharded over; `could_save` is what one device would save if it were sharded over as many of them as divide
    its dimensions, 0 if there is none, and `better` that `P(…)`. `line` is where a value inside the program
    is made, its `path` the primitive that makes it, `count` how many of them there are alike. `mesh` is the
    index of its mesh in the report.
    """

    path: str
    kind: Literal["argument", "result", "value"]
    dtype: str
    global_shape: tuple[int, ...]
    spec: str | None
    device_shape: tuple[int, ...]
    device_bytes: int
    replicated: bool
    free_axes: tuple[str, ...] = ()
    could_save: int = 0
    better: str | None = None
    line: str | None = None
    mesh: int | None = None
    signature: str = ""
    axes: tuple[tuple[str, ...], ...] = ()
    manual: tuple[str, ...] = ()
    unreduced: tuple[str, ...] = ()
    form: str | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class ShardingReport:
    """The arguments and the results of each call, then the values of its lines, if they were asked for."""

    command: str
    target: Target
    sharding: tuple[ArraySharding, ...]
    meshes: tuple[MeshShape, ...] = ()
    events: tuple[CompileEvent, ...] = ()
    environment: Environment | None = None
    exploration: Exploration | None = None
    schema: int = SCHEMA
