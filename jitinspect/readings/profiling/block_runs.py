"""How often the bodies of loops and the branches of conditionals ran, by what was recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jitinspect.ir.hlo import loop_parts
from jitinspect.ir.program import Block, Operation, Program


def block_runs(program: Program, executions: Mapping[str, int], runs: int) -> dict[str, int]:
    """By name of the computation; of those alone about which the executions say something. `executions` is
    how often each operation ran in all `runs` of the program.
    """
    blocks = program.named()
    known = {program.entry.name: runs}
    for operation in program.operations():
        if operation.opcode == "while":
            known.update(_of_loop(operation, blocks, executions))
        elif operation.opcode == "conditional":
            known.update(_of_branches(operation, blocks, executions))
    return known


def _of_loop(
    loop: Operation, blocks: Mapping[str, Block], executions: Mapping[str, int]
) -> Iterator[tuple[str, int]]:
    parts = loop_parts(loop)
    body, condition = (_measured(blocks[parts[name]], executions) for name in ("body", "condition"))
    times = executions.get(loop.names[0])
    if body is None and condition is not None and times is not None:
        body = condition - times
    if condition is None and body is not None and times is not None:
        condition = body + times
    for name, count in (("body", body), ("condition", condition)):
        if count is not None:
            yield parts[name], count


def _of_branches(
    conditional: Operation, blocks: Mapping[str, Block], executions: Mapping[str, int]
) -> Iterator[tuple[str, int]]:
    """If one of them was seen to run, those that were not seen did not."""
    found = {name: _measured(blocks[name], executions) for name in conditional.calls if name in blocks}
    if any(count is not None for count in found.values()):
        yield from ((name, count or 0) for name, count in found.items())


def _measured(block: Block, executions: Mapping[str, int]) -> int | None:
    """The least of its operations' executions: some are made of several, such as a sort with a copy. None if
    none of them was recorded.
    """
    names = (one.names[0] for one in block.operations)
    return min((executions[name] for name in names if name in executions), default=None)
