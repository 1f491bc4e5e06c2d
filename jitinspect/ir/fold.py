"""Folds inner jaxprs, regions and computations into one line each."""

from __future__ import annotations

from collections import Counter

from jitinspect.ir.program import Block, Program
from jitinspect.ir.text_view import GAP, TextView, indent
from jitinspect.model import WORDS

_SHOWN = 3


def fold(view: TextView) -> None:
    """Reduce each block except the entry to its head, a summary, and its foot."""
    program = view.program
    for block in program.blocks:
        if not block.is_entry:
            _fold(view, block)
        for operation in block.operations:
            for inner in operation.inner if block.is_entry else ():
                _fold(view, inner)


def summary(program: Program, block: Block) -> str:
    """`12 instructions: 5 multiply, 3 add, 2 broadcast, …`."""
    counts = Counter(operation.opcode for operation in block.operations)
    parts = [f"{count} {op}" for op, count in counts.most_common(_SHOWN)]
    more = [GAP] if len(counts) > _SHOWN else []
    number = len(block.operations)
    return f"{number} {WORDS[program.stage]}{'' if number == 1 else 's'}: {', '.join(parts + more)}"


def _fold(view: TextView, block: Block) -> None:
    lines, last = view.program.lines, block.end - 1
    if last <= block.start:
        return
    text = summary(view.program, block)
    head, foot = lines[block.start], lines[last].strip()
    if view.program.stage == "stablehlo" and foot != "}":  # the line continues: `} do {`, `}) : (…) -> …`
        body = block.start + 1
        view.replaced[body] = f"{indent(head)}  {GAP} {text}"
        view.dropped.update(range(body + 1, last))
        return
    view.replaced[block.start] = f"{head} {GAP} {text} {foot}"
    view.dropped.update(range(block.start + 1, block.end))
    if block.end < len(lines) and not lines[block.end]:  # XLA prints an empty line between computations
        view.dropped.add(block.end)
