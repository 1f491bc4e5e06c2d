"""Puts source lines as comments above the operations that they made."""

from __future__ import annotations

from collections.abc import Callable

from jitinspect.ir.attribution import Attribution, Line
from jitinspect.ir.text_view import TextView

COMMENTS = {"jaxpr": "#", "stablehlo": "//", "hlo": "//"}


def interleave(view: TextView, attribution: Attribution, describe: Callable[[Line], str]) -> None:
    """A comment wherever the line changes; an operation may have several. `describe` gives a line's text."""
    mark = COMMENTS[view.program.stage]
    for block in view.program.all_blocks():
        before: tuple[Line, ...] = ()
        for operation in block.operations:
            lines = attribution.lines(operation)
            if lines and lines != before:
                view.comments[operation.start] = [f"{mark} {describe(line)}" for line in lines]
            before = lines or before
