"""The Python source with what each line became, and a gutter with brackets around fusions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import attrgetter

from jitinspect.model.readings import Source, SourceLine, SourceReport
from jitinspect.render.readings.gutter import gutter
from jitinspect.render.text import Painter, amount, count, cut_middle, cut_place, hanging, size
from jitinspect.render.views import unrolled

_OF_STAGE = {"eqns": "jaxpr", "ops": "stablehlo"}
"""Columns that are left out where there is no such stage."""
_HEADS = ("eqns", "ops", "instr", "FLOPs", "bytes", "moved", "share")
_NARROWEST = 24
"""The least columns for the Python text."""
_DIM, _BOLD, _HOT = "2", "1", "1;31"


def render(report: SourceReport, painter: Painter, width: int, verbose: bool = False) -> Iterator[str]:
    """A table by file, with the numbers on the right; the Python text is cut if it does not fit. What is sent
    between devices has a column if anything is.
    """
    source = report.source
    signature = report.target.signature
    yield painter(signature if verbose else cut_middle(signature, width), _BOLD) + "\n"
    columns = _columns(source)
    for file, lines in groupby(source.lines, key=attrgetter("file")):
        yield from _table(file, list(lines), columns, painter, width, verbose)
    if without := _without(report):
        yield "\n" + painter(f"without a source line: {without}", _DIM) + "\n"
    if source.devices > 1:
        one = f"FLOPs and bytes are those of one device, of the {source.devices:,} that it runs on"
        moved = "; moved: what it sends to others, if rings carry it" if "moved" in columns else ""
        yield from (painter(line, _DIM) + "\n" for line in hanging(one + moved, width))
    yield from unrolled(source.unrolled[: None if verbose else 5], "equation", painter, width)


def _columns(source: Source) -> dict[str, int]:
    """The heads of the columns, and how wide they are."""
    is_moved = any(line.wire_bytes for line in source.lines) or source.without_line.wire_bytes > 0
    there = [head for head in _HEADS if _OF_STAGE.get(head, "hlo") in source.stages]
    heads = [head for head in there if head != "moved" or is_moved]
    rows = [_cells(line) for line in source.lines]
    return {head: max(map(len, (head, *(row[head] for row in rows)))) for head in heads}


def _table(
    file: str,
    lines: list[SourceLine],
    columns: Mapping[str, int],
    painter: Painter,
    width: int,
    verbose: bool,
) -> Iterator[str]:
    joined = gutter(lines)
    number_width = max(len(str(line.line)) for line in lines)
    gutter_width = max(map(len, joined))
    left = number_width + 1 + gutter_width + 1
    longest = max(len(line.text) for line in lines)
    room = max(_NARROWEST, min(longest, width - left - sum(columns.values()) - 2 * len(columns)))
    heads = "".join(f"  {head:>{size}}" for head, size in columns.items())
    yield f"\n{painter(f'{cut_place(file, left + room):<{left + room}}', _BOLD)}{painter(heads, _DIM)}\n"
    before = None
    for line, mark in zip(lines, joined, strict=True):
        if before is not None and line.line > before + 1:
            yield painter("⋮".rjust(number_width), _DIM) + "\n"
        before = line.line
        yield _row(line, mark.ljust(gutter_width), (number_width, room), columns, painter)
        if verbose and line.fusions:
            yield painter(f"{'':{left}}{', '.join(line.fusions)}\n", _DIM)


def _row(
    line: SourceLine, mark: str, at: tuple[int, int], columns: Mapping[str, int], painter: Painter
) -> str:
    number_width, room = at
    text = line.text if len(line.text) <= room else line.text[: room - 1] + "…"
    cells = _cells(line)
    numbers = "".join(f"  {cells[head]:>{size}}" for head, size in columns.items())
    is_used = any(cells.values())
    number = painter(f"{line.line:>{number_width}}", _DIM)
    shown = painter(f"{text:<{room}}" if is_used else text, "" if is_used else _DIM)
    painted = painter(numbers, _HOT if line.share >= 0.5 else "")
    return f"{number} {painter(mark, '36')} {shown}{painted if is_used else ''}".rstrip() + "\n"


def _cells(line: SourceLine) -> dict[str, str]:
    """By column; empty for zero, so that the other numbers stand out."""
    counts = map(str, (line.equations, line.operations, line.instructions))
    sizes = amount(line.flops), size(line.bytes), size(line.wire_bytes)
    share = f"{line.share:.0%}" if line.share >= 0.005 else ""
    cells = zip(_HEADS, (*counts, *sizes, share), strict=True)
    return {head: "" if cell in ("0", "0 B") else cell for head, cell in cells}


def _without(report: SourceReport) -> str:
    """Empty if there is nothing."""
    one = report.source.without_line
    parts = (
        (one.equations, count(one.equations, "equation")),
        (one.operations, count(one.operations, "operation")),
        (one.instructions, count(one.instructions, "instruction")),
        (one.flops, f"{amount(one.flops)} FLOPs"),
        (one.bytes, size(one.bytes)),
        (one.wire_bytes, f"{size(one.wire_bytes)} moved"),
    )
    return ", ".join(text for number, text in parts if number)
