"""Two texts of a stage → their difference: a summary, and the lines that changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from jitinspect.errors import LoadError
from jitinspect.ir import hlo, jaxpr, mlir, readable_hlo
from jitinspect.ir.attribution import MADE_BY_NO_LINE
from jitinspect.ir.collectives import KINDS
from jitinspect.ir.program import Program
from jitinspect.model.differences import Difference, Quantity, Summary
from jitinspect.readings.cost_model.instruction_costs import program_work
from jitinspect.readings.diff.alike_computations import merged, opcodes
from jitinspect.readings.diff.block_rows import BlockRows, Comparison
from jitinspect.readings.diff.collectives_changed import Rows, come_and_gone, moved, rows_of_program
from jitinspect.readings.diff.hunks import Hunks
from jitinspect.readings.diff.structural_hash import Structure
from jitinspect.readings.diff.substitutions import substitutions

_PARSERS: dict[str, Callable[[str], Program]] = {
    "jaxpr": jaxpr.parse,
    "stablehlo": mlir.parse,
    "hlo": lambda text: hlo.parse(readable_hlo.readable(text)),
    "hlo-before": lambda text: hlo.parse(readable_hlo.readable(text)),
}
"""One for each of `model.differences.STAGES`. The Python lines in JAX's own HLO are not compared."""


def difference(
    stage: str,
    before: str,
    after: str,
    context: int = 3,
    peaks: tuple[int | None, int | None] = (None, None),
    collectives: tuple[Rows, Rows] | None = None,
) -> Difference:
    """`context` is how many operations are shown around a change; `collectives` are those of the compiled
    programs, if more is known of them than is in their texts.

    Raises `LoadError` for a jaxpr that cannot be parsed.
    """
    program = parsed(stage, before)
    comparison = Comparison(program, program if before == after else parsed(stage, after))
    blocks, hunks = comparison.changed_blocks(), Hunks(context)
    return Difference(
        same=not blocks,
        summary=replace(
            summary(stage, comparison, blocks, peaks), **_sent(stage, comparison, collectives, bool(blocks))
        ),
        changes=tuple(hunk for block in blocks for hunk in hunks.of(block)),
        stage=stage,
    )


def parsed(stage: str, text: str) -> Program:
    """Raises `LoadError` for a jaxpr that cannot be parsed."""
    try:
        return _PARSERS[stage](text)
    except jaxpr.Unreadable as error:
        raise LoadError(f"this jaxpr cannot be parsed: {error}") from None


def summary(
    stage: str,
    comparison: Comparison,
    blocks: Sequence[BlockRows],
    peaks: tuple[int | None, int | None] = (None, None),
) -> Summary:
    """`blocks` are those that changed, or all."""
    first, second = (_counts(side) for side in comparison.sides)
    changes = [change for block in blocks for change in block.layout.changes]
    replaced, explained = substitutions(blocks)
    is_compiled = stage == "hlo"
    costs = [_costs(side) for side in comparison.sides] if is_compiled else []
    return Summary(
        operations=Quantity(first.total(), second.total()),
        ops={op: second[op] - first[op] for op in sorted(first | second) if first[op] != second[op]},
        added=sum(left is None for left, _ in changes),
        removed=sum(right is None for _, right in changes),
        changed=sum(None not in change for change in changes),
        explained=explained,
        substitutions=replaced,
        fusions=Quantity(first["fusion"], second["fusion"]) if is_compiled else None,
        flops=Quantity(*(one[0] for one in costs)) if is_compiled else None,
        bytes=Quantity(*(one[1] for one in costs)) if is_compiled else None,
        peak_bytes=Quantity(*peaks) if peaks != (None, None) else None,
    )


def _sent(
    stage: str, comparison: Comparison, known: tuple[Rows, Rows] | None, is_changed: bool
) -> dict[str, Any]:
    """What is said of collectives; nothing if there are none. In equal programs they are the same, whatever
    their axes are called.
    """
    if stage != "hlo":
        return {}
    before, after = known or tuple(map(_rows, comparison.sides))
    if not (before or after):
        return {}
    return {
        "collectives": Quantity(len(before), len(after)),
        "wire_bytes": Quantity(moved(before), moved(after)),
        "collectives_changed": come_and_gone(before, after) if is_changed else (),
    }


def _rows(side: Structure) -> Rows:
    """What the text says of its collectives. Most modules have none."""
    kinds = {opcode.removesuffix("-start") for opcode in opcodes(side)}
    return rows_of_program(side.program) if not kinds.isdisjoint(KINDS) else ()


def _costs(side: Structure) -> tuple[int | None, int | None]:
    """FLOPs and bytes; unknown for a text that was edited and is no longer valid HLO."""
    try:
        work = program_work(merged(side))
    except (ValueError, IndexError, KeyError):
        return None, None
    return work.flops, work.bytes


def _counts(side: Structure) -> Counter[str]:
    found = opcodes(side)
    for opcode in MADE_BY_NO_LINE:
        del found[opcode]
    return found
