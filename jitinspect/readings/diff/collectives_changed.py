"""Which collectives have come, and which have gone, between two compiled programs.

Two of a kind that move as much, as often, over the same axes, are the same collective, whatever line asked
for it. Axes and lines are not part of a text: they are compared if they are known on both sides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from jitinspect.ir.collectives import CollectiveOperation
from jitinspect.ir.executions import BlockExecutions
from jitinspect.ir.program import Program
from jitinspect.model.communication import Collective
from jitinspect.model.differences import ChangedCollective
from jitinspect.readings.communication.readable import readable_collectives

Key = Callable[[ChangedCollective], ChangedCollective]
Rows = Sequence[ChangedCollective]
"""One for each collective of a side."""


def rows_of_program(program: Program) -> list[ChangedCollective]:
    """What the text alone says: no axes, and no lines."""
    executions = BlockExecutions(program)
    return [_row(one, executions[one.block].counted) for one in readable_collectives(program)]


def rows_of_report(found: Iterable[Collective]) -> list[ChangedCollective]:
    return [replace(_row(one, one.counted_runs), axes=one.axes, lines=one.lines) for one in found]


def _row(one: CollectiveOperation | Collective, runs: int) -> ChangedCollective:
    return ChangedCollective(one.kind, (), one.group, one.bytes_in, one.bytes_out, one.wire_bytes, runs)


def moved(rows: Rows) -> int:
    """What one device sends in all runs."""
    return sum(one.wire_bytes * one.runs * one.count for one in rows)


def come_and_gone(before: Rows, after: Rows) -> tuple[ChangedCollective, ...]:
    """Alike ones are one row. The lines whose collectives move most come first; of each line, what has gone
    does.
    """
    gone, come = list(before), list(after)
    for key in (_whole, _without_lines):
        gone, come = _unpaired(gone, come, key), _unpaired(come, gone, key)
    rows = [*_alike(gone), *_alike(replace(one, side="after") for one in come)]
    most: dict[tuple[str, ...], int] = {}
    for one in rows:
        most[one.lines] = max(most.get(one.lines, 0), moved([one]))
    return tuple(
        sorted(rows, key=lambda one: (-most[one.lines], one.lines, one.side == "after", -moved([one])))
    )


def _unpaired(rows: Rows, others: Rows, key: Key) -> list[ChangedCollective]:
    """Those to which none of the others is equal, each of which is equal to one."""
    left = Counter(map(key, others))
    found = []
    for one in rows:
        if left[key(one)]:
            left[key(one)] -= 1
        else:
            found.append(one)
    return found


def _whole(one: ChangedCollective) -> ChangedCollective:
    return one


def _without_lines(one: ChangedCollective) -> ChangedCollective:
    return replace(one, lines=())


def _alike(rows: Iterable[ChangedCollective]) -> list[ChangedCollective]:
    return [replace(one, count=count) for one, count in Counter(rows).items()]
