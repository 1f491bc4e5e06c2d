"""What differs between two texts of a stage: the report of `diff`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from jitinspect.model.base import SCHEMA, Environment
from jitinspect.model.explorations import Exploration
from jitinspect.model.stages import CompileEvent, Target
from jitinspect.model.time_differences import TimeDifference

STAGES = ("jaxpr", "stablehlo", "hlo", "hlo-before")
"""The stages whose texts can be compared."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number before and after; None if it is not known."""

    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Substitution:
    """A word, such as a size, that replaces another; `count` is the number of changed operations with it."""

    before: str
    after: str
    count: int


@dataclass(frozen=True, slots=True)
class ChangedCollective:
    """Collectives that only one side has, `count` alike ones. Bytes are those of one run on one device, as in
    `Collective`; `axes` and `lines` are empty if they are not known, as for a text.
    """

    kind: str
    axes: tuple[str, ...]
    group: int
    bytes_in: int
    bytes_out: int
    wire_bytes: int
    runs: int
    lines: tuple[str, ...] = ()
    count: int = 1
    side: Literal["before", "after"] = "before"


@dataclass(frozen=True, slots=True)
class Summary:
    """`ops` is how many operations of each kind were added or, if negative, removed. `changed` operations
    were replaced by others; for `explained` of them, `substitutions` account for the whole change. FLOPs and
    bytes are those of HLO, on one device.

    `collectives` is how many there are in HLO, `wire_bytes` what one device sends in all their runs; None
    where there are none on either side. `collectives_changed` are those that have come and gone.
    """

    operations: Quantity
    ops: Mapping[str, int] = field(default_factory=dict)
    added: int = 0
    removed: int = 0
    changed: int = 0
    explained: int = 0
    substitutions: tuple[Substitution, ...] = ()
    fusions: Quantity | None = None
    flops: Quantity | None = None
    bytes: Quantity | None = None
    peak_bytes: Quantity | None = None
    collectives: Quantity | None = None
    wire_bytes: Quantity | None = None
    collectives_changed: tuple[ChangedCollective, ...] = ()


@dataclass(frozen=True, slots=True)
class Hunk:
    """Adjacent lines of one block, each prefixed with `-`, `+` or a space.

    Names are those of the first text wherever it has one.
    """

    block: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """The difference in one stage; `same` if only names differ."""

    same: bool
    summary: Summary
    changes: tuple[Hunk, ...] = ()
    stage: str = ""


@dataclass(frozen=True, slots=True)
class GoldenCheck:
    """One saved report, made again; `told` says why that failed, or what to know about it."""

    file: str
    same: bool
    told: str = ""
    stages: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class DiffReport:
    """`before` and `after` say what was compared; `diff` is the first of the `stages` that differs. Of two
    reports on time, `times` are the differences, one for each call. `exploration` has all texts of both.
    """

    command: str
    before: str
    after: str
    diff: Difference
    stages: tuple[Difference, ...] = ()
    golden: tuple[GoldenCheck, ...] = ()
    times: tuple[TimeDifference, ...] = ()
    target: Target | None = None
    events: tuple[CompileEvent, ...] = ()
    environment: Environment | None = None
    exploration: Exploration | None = None
    schema: int = SCHEMA
