"""What a module takes without its donations, where that follows from the module with them.

XLA:CPU looks at donations in two places: where it inserts copies, and where it assigns buffers (jaxlib 0.10.2
and 0.12.0). Copies are inserted around loops, branches and calls, for updates in place, and for results that
are arguments, constants or other results. Temporaries may be others without donation, as they can lie in the
memory of results. So of a module in which nothing is computed but its results, each by a fusion or a product
that updates nothing in place, and nothing is copied, the one without donations has the same instructions, and
all arguments and results beside each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from jitinspect.ir.program import Operation, Program

_GIVEN = ("parameter", "constant")
_VIEWS = ("bitcast", "tuple")
_COMPUTE = ("fusion", "dot")
_IN_PLACE = ("dynamic-update-slice", "scatter")
_ALIASING = "output_to_operand_aliasing"


def peak_without_donation(
    program: Program, results: Sequence[Operation], memory: Mapping[str, int]
) -> int | None:
    """In bytes; None if it does not follow. `results` are what makes each output, views aside; `memory` are
    XLA's sums.
    """
    if memory.get("temp") != 0 or not {"argument", "output"} <= memory.keys():
        return None
    made = {one.names[0] for one in results}
    if len(made) < len(results) or any(one.opcode not in _COMPUTE for one in results):
        return None
    if not all(one.opcode in (*_GIVEN, *_VIEWS) or one.names[0] in made for one in program.entry.operations):
        return None
    blocks = program.named()
    inside = (one for result in results for name in result.calls for one in blocks[name].operations)
    return None if _updates_in_place((*results, *inside)) else memory["argument"] + memory["output"]


def _updates_in_place(operations: Iterable[Operation]) -> bool:
    return any(one.opcode in _IN_PLACE or _ALIASING in one.rest for one in operations)
