"""What would move less, where that is known.

Seen on jaxlib 0.10.2 and 0.12.0.1: `table[i]` of a table that is sharded along that dimension gathers all of
it, `jnp.take(table, i, axis=0)` moves the row alone (CPU and TPU). XLA for TPUs makes a `psum_scatter` of a
vector of an all-reduce and a slice, which moves twice as much; of a matrix it makes a reduce-scatter.
"""

from __future__ import annotations

from jitinspect.ir.collectives import CollectiveOperation
from jitinspect.ir.dataflow import PASSED_ON, Dataflow, Place
from jitinspect.readings.communication.asked import SCATTERING, Asked

_OUTER = ("call", "conditional", "fusion", "while")


def advice(one: CollectiveOperation, asked: Asked, flow: Dataflow) -> str | None:
    """None if nothing is known."""
    if one.kind == "all-reduce" and asked.by == "user" and asked.primitive in SCATTERING:
        return f"XLA sums all of it and then takes a slice: twice what {asked.primitive} of a matrix moves"
    if one.kind == "all-gather" and asked.by == "partitioner" and _is_only_sliced(one, flow):
        return "all of it is moved for a slice of it: jnp.take(x, i, axis) would move the slice alone"
    return None


def _is_only_sliced(one: CollectiveOperation, flow: Dataflow) -> bool:
    """Whether every use of the whole is a slice at an index that is not known before the program runs."""
    uses = (place.operation.opcode for place in flow.uses(Place(*one.last)))
    taking = (opcode for opcode in uses if opcode not in PASSED_ON and opcode not in _OUTER)
    return next(taking, "") == "dynamic-slice" and all(opcode == "dynamic-slice" for opcode in taking)
