"""A stage's text with the origins of its lines, what can be folded, and what uses what."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping, Sequence

from jitinspect.ir.origins import Origin, Origins
from jitinspect.ir.program import Block, Program
from jitinspect.model.explorations import Language, LineCost, Pane
from jitinspect.readings.exploring.origin_table import OriginTable

_LANGUAGES: Mapping[str, Language] = {"jaxpr": "jaxpr", "stablehlo": "stablehlo", "hlo": "hlo"}
_REGIONS_SEE_AROUND = "stablehlo"
"""The stage whose inner blocks use values from outside."""


def stage_pane(
    program: Program, origins: Origins, table: OriginTable, costs: Sequence[LineCost] = ()
) -> Pane:
    """A line of several operations has the origins of all; one that only belongs to an operation, such as its
    parameters, has those of that.
    """
    at_lines: list[tuple[Origin, ...]] = [()] * len(program.lines)
    for block in program.blocks:
        _mark(block, origins, at_lines)
    return Pane(
        name=program.stage,
        language=_LANGUAGES[program.stage],
        text="\n".join(program.lines),
        origins=tuple(map(table.set_of, at_lines)),
        folds=tuple(sorted(set(_folds(program)))),
        operands=tuple(_differences(_operands(program))),
        costs=tuple(costs),
    )


def unavailable_pane(stage: Language, why: str) -> Pane:
    """Stands for a text that there is not."""
    return Pane(stage, stage, "", origins=(0,), unavailable=why)


def _mark(block: Block, origins: Origins, at_lines: list[tuple[Origin, ...]]) -> None:
    """What is inside of a block is not that of the operation around it; heads and feet are."""
    for operation in block.operations:
        found = origins[operation]
        for line in range(operation.start, operation.end):
            at_lines[line] = (*at_lines[line], *found) if at_lines[line] else found
        for inner in operation.inner:
            at_lines[inner.start + 1 : inner.end - 1] = [()] * max(inner.end - inner.start - 2, 0)
            _mark(inner, origins, at_lines)


def _folds(program: Program) -> Iterator[tuple[int, int]]:
    """Blocks of several lines, but for a whole jaxpr."""
    for block in program.all_blocks():
        is_whole = program.stage == "jaxpr" and block.is_entry
        if block.end - block.start > 1 and not is_whole:
            yield block.start, block.end - 1


def _differences(rows: Iterable[tuple[int, ...]]) -> Iterator[tuple[int, ...]]:
    """Rows of lines as `Pane.operands` has them."""
    before = 0
    for user, *used in rows:
        yield (user - before, *(user - line for line in used))
        before = user


def _operands(program: Program) -> Iterator[tuple[int, ...]]:
    for block in program.blocks:
        yield from _uses(block, ChainMap(), program.stage == _REGIONS_SEE_AROUND)


def _uses(block: Block, around: ChainMap[str, int], sees_around: bool) -> Iterator[tuple[int, ...]]:
    """The line of each operation that uses others, and the lines of those."""
    made = around.new_child() if sees_around else ChainMap()
    for operation in block.operations:
        lines = dict.fromkeys(made[name] for name in operation.operands if name in made)
        lines.pop(operation.start, None)
        if lines:
            yield (operation.start, *lines)
        for inner in operation.inner:
            yield from _uses(inner, made, sees_around)
        made.update(dict.fromkeys(operation.names, operation.start))
