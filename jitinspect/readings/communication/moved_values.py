"""What a collective moves: the path of an argument, or the primitive that made it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from jitinspect.ir.collectives import CollectiveOperation
from jitinspect.ir.dataflow import PASSED_ON, Dataflow, Place
from jitinspect.ir.op_names import op_name, primitive

_TURNED = ("bitcast", "reshape", "transpose")
"""What may give an array other dimensions, and passes it on otherwise."""


class MovedValue(NamedTuple):
    """`argument` is its path, or `primitive` made it; "" if that is not known. `is_turned` is whether its
    dimensions may be other ones than those of the argument, or in another order.
    """

    argument: str = ""
    primitive: str = ""
    is_turned: bool = False

    def __str__(self) -> str:
        return self.argument or self.primitive


def moved_values(one: CollectiveOperation, flow: Dataflow) -> tuple[MovedValue, ...]:
    """That of each operand."""
    place = Place(one.block, one.operation)
    return tuple(_origin(flow.sources(place, at), flow) for at in range(len(one.operation.operands)))


def _origin(sources: Iterable[Place], flow: Dataflow) -> MovedValue:
    """The primitive is that of the first instruction on the way that says one."""
    is_turned = False
    for place in sources:
        operation = place.operation
        line = flow.line(operation)
        is_turned = is_turned or operation.opcode in _TURNED
        if operation.opcode == "parameter":
            if place.block.is_entry:
                return MovedValue(argument=op_name(line), is_turned=is_turned)
        elif operation.opcode not in PASSED_ON and (found := primitive(line)):
            return MovedValue(primitive=found, is_turned=is_turned)
    return MovedValue()
