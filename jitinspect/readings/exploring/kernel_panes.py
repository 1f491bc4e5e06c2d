"""LLVM IR and machine code, each kernel with the origins of the HLO instructions that it is for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from jitinspect.errors import UnavailableError
from jitinspect.ir.origins import Origin
from jitinspect.model import StageText
from jitinspect.model.explorations import Language, Pane
from jitinspect.readings.exploring.origin_table import OriginTable
from jitinspect.readings.exploring.stage_panes import unavailable_pane

_KERNEL = "; kernel "
_INSTRUCTION = re.compile(r"%([\w.\-]+)")


def kernel_pane(
    stage: Language,
    made: StageText | UnavailableError,
    by_name: Mapping[str, tuple[Origin, ...]],
    table: OriginTable,
) -> Pane:
    """`by_name` are the origins of each instruction."""
    if isinstance(made, UnavailableError):
        return unavailable_pane(stage, made.message)
    lines = made.text.split("\n")
    starts = [number for number, line in enumerate(lines) if line.startswith(_KERNEL)]
    at_lines = [0] * len(lines)
    folds = []
    for start, end in zip(starts, [*starts[1:], len(lines) + 1], strict=True):
        last = end - 2  # kernels are separated by an empty line
        origins = table.set_of(tuple(_origins(lines[start], by_name)))
        at_lines[start : last + 1] = [origins] * (last + 1 - start)
        folds.append((start, last))
    return Pane(stage, stage, made.text, origins=tuple(at_lines), folds=tuple(folds))


def _origins(header: str, by_name: Mapping[str, tuple[Origin, ...]]) -> Iterator[Origin]:
    """`; kernel add_fusion  (HLO instructions %add_fusion, %add_fusion.1)`."""
    for name in _INSTRUCTION.findall(header.partition("(")[2]):
        yield from by_name.get(name, ())
