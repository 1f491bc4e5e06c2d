"""What a jaxpr would tell of a program's collectives and shardings, read from its StableHLO where there is
none.

The names of locations end in JAX's primitives, `jit(f)/while/body/psum`; inside of a
`sdy.manual_computation`, which a `shard_map` becomes, shapes are those on one device. A sharding is asked for
by `sdy.sharding_constraint`. Seen on jax 0.10.2 and 0.12.0.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from jitinspect.ir import shapes
from jitinspect.ir.attribution import Attribution
from jitinspect.ir.program import Block, Operation, Program
from jitinspect.readings.communication.asked import PRIMITIVES
from jitinspect.readings.communication.causes import Laid, OwnCollective

_MANUAL, _CONSTRAINT = "sdy.manual_computation", "sdy.sharding_constraint"
_AXIS = re.compile(r'"([^"]+)"')


def global_shapes(program: Program) -> dict[str, frozenset[tuple[int, ...]]]:
    """By name of each primitive, the shapes of all that it makes, as `jaxapi.source_lines.global_shapes`."""
    found: dict[str, set[tuple[int, ...]]] = {}
    for operation in _whole(program.blocks):
        known = found.setdefault(operation.made_by, set())
        known.update(array.dims for array in shapes.arrays(operation.type))
    return {name: frozenset(made) for name, made in found.items() if name}


def _whole(blocks: Sequence[Block]) -> Iterator[Operation]:
    """Operations on whole arrays."""
    for block in blocks:
        for operation in block.operations:
            yield operation
            if operation.opcode != _MANUAL:
                yield from _whole(operation.inner)


def laid(program: Program, names: Sequence[str]) -> list[Laid]:
    """The constraints; `names` are the paths of the arguments."""
    return [one for block in program.all_blocks() for one in _laid(block, names)]


def _laid(block: Block, names: Sequence[str]) -> Iterator[Laid]:
    made = {name: operation for operation in block.operations for name in operation.names}
    given = dict(zip(block.parameters, names, strict=False)) if block.is_entry else {}
    for operation in block.operations:
        if operation.opcode != _CONSTRAINT:
            continue
        of = operation.operands[0].partition("#")[0]
        origin = made[of].frames if of in made else given.get(of)
        if origin:
            dimensions = operation.rest.partition("[")[2].partition("]")[0]
            yield Laid(operation.frames, frozenset(_AXIS.findall(dimensions)), origin)


def own_collectives(program: Program, attribution: Attribution) -> list[OwnCollective]:
    """The program's own, in its order."""
    return [
        OwnCollective(operation.made_by, array.dims, line)
        for operation in program.operations()
        if operation.made_by in PRIMITIVES and not operation.opcode.endswith(".return")
        for array in shapes.arrays(operation.type)
        for line in attribution.lines(operation)[:1]
    ]
