"""Selects operations by name, by line or by fusion, and their neighbours: what they use, what uses them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from jitinspect.ir.attribution import Attribution, Line
from jitinspect.ir.program import Block, Operation, Program

_CALLED = re.compile(r"\bname=(\w+)")


def by_name(program: Program, pattern: re.Pattern[str]) -> list[Operation]:
    """Those with a match of `pattern` in their opcode, in their names, or in the names of what they call.

    The letters of a jaxpr's variables do not count as names.
    """

    def words(operation: Operation) -> Iterator[str]:
        yield operation.opcode
        yield from operation.calls
        if program.stage == "jaxpr":
            yield from _CALLED.findall(operation.rest)
        else:
            yield from operation.names

    return [
        operation
        for block in program.all_blocks()
        if program.stage == "jaxpr" or any(map(pattern.search, block.words()))
        for operation in block.operations
        if any(map(pattern.search, words(operation)))
    ]


def by_line(program: Program, attribution: Attribution, file: str, line: int) -> list[Operation]:
    """Those made by the line or by what it called. `file` is the end of a path; empty, it fits any file."""

    def matches(found: Line) -> bool:
        return found.line == line and (not file or f"/{found.file}".endswith(f"/{file}"))

    return [
        operation
        for operation in program.operations()
        if any(map(matches, (*attribution.stack(operation), *attribution.lines(operation))))
    ]


def by_fusion(program: Program, name: str) -> list[Operation]:
    """The fusion with that name, or with the computation of that name, and all instructions in it."""
    wanted, blocks = name.lstrip("%"), program.named()
    found: list[Operation] = []
    for operation in program.operations():
        if operation.opcode == "fusion" and wanted in (*operation.names, *operation.calls):
            found.append(operation)
            found += [one for called in operation.calls for one in blocks[called].operations]
    return found


def with_neighbours(program: Program, chosen: Iterable[Operation], steps: int) -> list[Operation]:
    """`chosen`, and all operations within `steps` steps along operands and users."""
    reached = {id(operation): operation for operation in chosen}
    if not steps:
        return list(reached.values())
    edges = _Edges(program)
    border = list(reached.values())
    for _ in range(steps):
        border = [near for operation in border for near in edges.of(operation) if id(near) not in reached]
        reached.update({id(operation): operation for operation in border})
    return list(reached.values())


class _Edges:
    """Which operations use whose results. An inner block sees the names of the blocks around it."""

    def __init__(self, program: Program) -> None:
        self._uses: dict[int, list[Operation]] = {}
        for block in program.blocks:
            self._read(block, {})

    def of(self, operation: Operation) -> list[Operation]:
        return self._uses.get(id(operation), [])

    def _read(self, block: Block, around: dict[str, Operation]) -> None:
        made = {**around, **{name: one for one in block.operations for name in one.names}}
        for operation in block.operations:
            for name in operation.operands:
                if name in made and made[name] is not operation:
                    self._uses.setdefault(id(operation), []).append(made[name])
                    self._uses.setdefault(id(made[name]), []).append(operation)
            for inner in operation.inner:
                self._read(inner, made)
