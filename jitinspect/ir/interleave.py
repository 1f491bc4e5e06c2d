"""Source lines as comments above the operations that they made."""

from __future__ import annotations

from collections.abc import Callable

from jitinspect.ir.attribution import Attribution, Line
from jitinspect.ir.page import Page

COMMENTS = {"jaxpr": "#", "stablehlo": "//", "hlo": "//"}


def interleave(page: Page, attribution: Attribution, told: Callable[[Line], str]) -> None:
    """A comment wherever the line changes; one operation may have several. `told` says what is on a line."""
    mark = COMMENTS[page.program.stage]
    for block in page.program.all_blocks():
        before: tuple[Line, ...] = ()
        for operation in block.operations:
            lines = attribution.lines(operation)
            if lines and lines != before:
                page.before[operation.start] = [f"{mark} {told(line)}" for line in lines]
            before = lines or before
