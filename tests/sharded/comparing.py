"""What a program moves, as rows that can be compared: by its closed form, by the text, by `collectives`."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable, Mapping
from typing import Any

from tests.sharded.expectations import Case, Move
from tests.sharded.scan import axes_of, scan

Row = tuple[Any, ...]


def by_formula(case: Case) -> list[Row]:
    """Kind, axes, bytes in and out, runs, and whether in a branch."""
    return _ordered(_counted(move) for move in case.moves(**case.mesh))


def by_scan(case: Case, text: str) -> list[Row]:
    """The same, of the text of the compiled program."""
    return _ordered(
        (one.kind, axes_of(one.groups, case.mesh), one.bytes_in, one.bytes_out, one.runs, one.in_branch)
        for one in scan(text)
    )


def told_by_formula(case: Case) -> list[Row]:
    """All that `collectives` tells of them, but their lines."""
    return _ordered(
        (*_counted(move), move.axes, move.group(case.mesh), move.wire_bytes(case.mesh), move.asked_by)
        for move in case.moves(**case.mesh)
    )


def told(reading: Mapping[str, Any]) -> list[Row]:
    """The same, of the JSON of `collectives`."""
    return _ordered(
        (
            *(
                one["kind"],
                _whole(one["axes"]),
                one["bytes_in"],
                one["bytes_out"],
                one["runs"],
                one["in_branch"],
            ),
            *(tuple(one["axes"]), one["group"], one["wire_bytes"], one["asked_by"]),
        )
        for one in reading["collectives"]
    )


def wire_bytes(case: Case) -> int:
    """Those of all runs; of a loop of which it is not known how often it runs, one counts."""
    return sum(move.wire_bytes(case.mesh) * (move.runs or 1) for move in case.moves(**case.mesh))


def lines_by_formula(case: Case) -> list[Row]:
    """Kind, bytes in, and all lines that were written to cause it."""
    file = os.path.relpath(inspect.getfile(inspect.unwrap(case.function)))
    return _ordered(
        (move.kind, move.bytes_in, *sorted(f"{file}:{line}" for line in case.lines(move)))
        for move in case.moves(**case.mesh)
    )


def lines_told(reading: Mapping[str, Any]) -> list[Row]:
    return _ordered((one["kind"], one["bytes_in"], *sorted(one["lines"])) for one in reading["collectives"])


def _counted(move: Move) -> Row:
    return move.kind, _whole(move.axes), move.bytes_in, move.bytes_out, move.runs, move.in_branch


def _whole(axes: Iterable[str]) -> tuple[str, ...]:
    """`data:(2)2` → `data`."""
    return tuple(axis.partition(":")[0] for axis in axes)


def _ordered(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=repr)
