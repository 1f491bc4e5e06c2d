"""Inner jaxprs, regions and computations as one line each."""

from __future__ import annotations

from collections import Counter

from jitinspect.ir.page import GAP, Page, indent
from jitinspect.ir.program import Block, Program
from jitinspect.model import WORDS

_SHOWN = 3


def fold(page: Page) -> None:
    """Leave of each block but the entry's its head, a count, and its foot."""
    program = page.program
    for block in program.blocks:
        if not block.is_entry:
            _fold(page, block)
        for operation in block.operations:
            for inner in operation.inner if block.is_entry else ():
                _fold(page, inner)


def summary(program: Program, block: Block) -> str:
    """`12 instructions: 5 multiply, 3 add, 2 broadcast, …`."""
    counts = Counter(operation.opcode for operation in block.operations)
    told = [f"{count} {op}" for op, count in counts.most_common(_SHOWN)]
    more = [GAP] if len(counts) > _SHOWN else []
    number = len(block.operations)
    return f"{number} {WORDS[program.stage]}{'' if number == 1 else 's'}: {', '.join(told + more)}"


def _fold(page: Page, block: Block) -> None:
    lines, last = page.program.lines, block.end - 1
    if last <= block.start:
        return
    told = summary(page.program, block)
    head, foot = lines[block.start], lines[last].strip()
    if page.program.stage == "stablehlo" and foot != "}":  # the line goes on: `} do {`, `}) : (…) -> …`
        body = block.start + 1
        page.instead[body] = f"{indent(head)}  {GAP} {told}"
        page.dropped.update(range(body + 1, last))
        return
    page.instead[block.start] = f"{head} {GAP} {told} {foot}"
    page.dropped.update(range(block.start + 1, block.end))
    if block.end < len(lines) and not lines[block.end]:  # XLA prints an empty line between computations
        page.dropped.add(block.end)
