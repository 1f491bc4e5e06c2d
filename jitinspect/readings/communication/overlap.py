"""What runs while an asynchronous collective is under way."""

from __future__ import annotations

from collections.abc import Iterator

from jitinspect.ir.collectives import CollectiveOperation
from jitinspect.ir.dataflow import Dataflow, Place
from jitinspect.ir.program import Operation

_NO_WORK = (
    "parameter", "constant", "get-tuple-element", "tuple", "bitcast", "after-all", "partition-id",
    "replica-id", "optimization-barrier",
)  # fmt: skip
_AT_ONCE = '"is_sync":true'
"""What XLA for GPUs notes of one that its start waits for."""


def overlaps(one: CollectiveOperation, flow: Dataflow) -> tuple[str, ...] | None:
    """The names of the instructions, in the order of the schedule; None if the collective is synchronous."""
    bounds = _bounds(one, flow)
    if bounds is None:
        return None
    first, last = bounds
    if first.operation is last.operation or _AT_ONCE in flow.line(first.operation):
        return None
    between = flow.between(first.block, first.operation, last.operation)
    return tuple(operation.names[0] for operation in between if _works(operation))


def _works(operation: Operation) -> bool:
    return operation.opcode not in _NO_WORK and not operation.opcode.endswith(("-start", "-done", "-update"))


def _bounds(one: CollectiveOperation, flow: Dataflow) -> tuple[Place, Place] | None:
    """Where it starts and where it is done, in one computation."""
    if one.others:
        first, last = (next(iter(flow.callers(block)), None) for block in (one.block, one.last[0]))
        return (first, last) if first and last and first.block is last.block else None
    start = Place(one.block, one.operation)
    if not one.operation.opcode.endswith("-start"):
        callers = [place for place in flow.callers(one.block) if place.operation.opcode == "async-start"]
        if not callers:
            return None
        start = callers[0]
    return next(((start, done) for done in _ends(start, flow)), None)


def _ends(start: Place, flow: Dataflow) -> Iterator[Place]:
    for user in flow.users(start.block, start.operation.names[0]):
        if user.opcode.endswith("-done"):
            yield Place(start.block, user)
