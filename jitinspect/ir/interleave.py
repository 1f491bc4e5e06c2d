"""Source lines as comments above the operations that they made."""

from __future__ import annotations

from collections.abc import Callable

from jitinspect.ir.attribution import Attribution, Line
from jitinspect.ir.text_view import TextView

COMMENTS = {"jaxpr": "#", "stablehlo": "//", "hlo": "//"}


def interleave(view: TextView, attribution: Attribution, told: Callable[[Line], str]) -> None:
    """A comment wherever the line changes; one operation may have several. `told` says what is on a line."""
    mark = COMMENTS[view.program.stage]
    for block in view.program.all_blocks():
        before: tuple[Line, ...] = ()
        for operation in block.operations:
            lines = attribution.lines(operation)
            if lines and lines != before:
                view.before[operation.start] = [f"{mark} {told(line)}" for line in lines]
            before = lines or before
