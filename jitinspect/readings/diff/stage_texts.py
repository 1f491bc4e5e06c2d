"""Two texts of a stage → their difference: a summary, and the lines that changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from jitinspect.errors import LoadError
from jitinspect.ir import hlo, jaxpr, mlir, readable_hlo
from jitinspect.ir.attribution import MADE_BY_NO_LINE
from jitinspect.ir.program import Program
from jitinspect.model.differences import Difference, Hunk, Quantity, Summary
from jitinspect.readings.cost_model.instruction_costs import program_cost
from jitinspect.readings.diff.block_rows import BlockRows, Row, changed_blocks
from jitinspect.readings.diff.collectives_changed import Rows, come_and_gone, moved, rows_of_program
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
    programs = parsed(stage, before), parsed(stage, after)
    blocks = [] if before == after else changed_blocks(*programs)
    return Difference(
        same=not blocks,
        summary=replace(
            summary(stage, programs, blocks, peaks), **_sent(stage, programs, collectives, bool(blocks))
        ),
        changes=tuple(hunk for block in blocks for hunk in _hunks(block, context)),
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
    programs: tuple[Program, Program],
    blocks: Sequence[BlockRows],
    peaks: tuple[int | None, int | None] = (None, None),
) -> Summary:
    """`blocks` are those that changed, or all."""
    first, second = (_counts(program) for program in programs)
    rows = [row for block in blocks for row in block.rows if not row.is_same]
    changed = [row for row in rows if not (row.is_added or row.is_removed)]
    replaced, explained = substitutions(changed)
    is_compiled = stage == "hlo"
    costs = [_costs(program) for program in programs] if is_compiled else []
    return Summary(
        operations=Quantity(first.total(), second.total()),
        ops={op: second[op] - first[op] for op in sorted(first | second) if first[op] != second[op]},
        added=sum(row.is_added for row in rows),
        removed=sum(row.is_removed for row in rows),
        changed=len(changed),
        explained=explained,
        substitutions=replaced,
        fusions=Quantity(first["fusion"], second["fusion"]) if is_compiled else None,
        flops=Quantity(*(one[0] for one in costs)) if is_compiled else None,
        bytes=Quantity(*(one[1] for one in costs)) if is_compiled else None,
        peak_bytes=Quantity(*peaks) if peaks != (None, None) else None,
    )


def _sent(
    stage: str, programs: tuple[Program, Program], known: tuple[Rows, Rows] | None, is_changed: bool
) -> dict[str, Any]:
    """What is said of collectives; nothing if there are none. In equal programs they are the same, whatever
    their axes are called.
    """
    if stage != "hlo":
        return {}
    before, after = known or tuple(map(rows_of_program, programs))
    if not (before or after):
        return {}
    return {
        "collectives": Quantity(len(before), len(after)),
        "wire_bytes": Quantity(moved(before), moved(after)),
        "collectives_changed": come_and_gone(before, after) if is_changed else (),
    }


def _costs(program: Program) -> tuple[int | None, int | None]:
    """FLOPs and bytes; unknown for a text that was edited and is no longer valid HLO."""
    try:
        costs = program_cost(program)
    except (ValueError, IndexError, KeyError):
        return None, None
    return costs.flops, costs.bytes


def _counts(program: Program) -> Counter[str]:
    return Counter(one.opcode for one in program.operations() if one.opcode not in MADE_BY_NO_LINE)


def _hunks(block: BlockRows, context: int) -> Iterator[Hunk]:
    """Changes that are closer together than twice the context share a hunk."""
    changed = [at for at, row in enumerate(block.rows) if not row.is_same]
    start = 0
    for index, at in enumerate(changed):
        if index + 1 < len(changed) and changed[index + 1] - at <= 2 * context + 1:
            continue
        rows = block.rows[max(0, changed[start] - context) : at + context + 1]
        yield Hunk(block.name, tuple(line for row in rows for line in _lines(row)))
        start = index + 1


def _lines(row: Row) -> Iterator[str]:
    if row.is_same:
        yield f"  {row.before}"
        return
    if not row.is_added:
        yield f"- {row.before}"
    if not row.is_removed:
        yield f"+ {row.after}"
