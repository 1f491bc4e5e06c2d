"""`collectives` as text: what moves between devices, the totals, and each collective with its line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from jitinspect.model.communication import Collective, CollectivesReport, Moved
from jitinspect.render import mesh_picture
from jitinspect.render.readings.columns import Row, table
from jitinspect.render.readings.percall import by_call
from jitinspect.render.text import (
    ALL,
    Painter,
    count,
    cut_middle,
    cut_place,
    duration,
    hanging,
    joined,
    shown_path,
    shown_places,
    size,
)  # fmt: skip

_DIM, _BOLD, _HINT, _WARN = "2", "1", "36", "33"
_MOST = 24
"""Rows of a table, unless verbose."""
_WIDE = 132
"""Columns from which on a table says why a collective is there."""


def render(report: CollectivesReport, painter: Painter, width: int, verbose: bool) -> Iterator[str]:
    room = ALL if verbose else width
    if len({row.signature for row in report.collectives}) < 2:
        yield painter(cut_middle(report.target.signature, room), _BOLD) + "\n"
    yield from _head(report, painter, width)
    for heading, rows in by_call(report.collectives, painter, room):
        yield "\n" + heading
        yield from _rows(_alike(rows), painter, room, verbose)
    yield from _lines(report.by_line, painter, room, verbose)
    hints = dict.fromkeys((_hint(row), _HINT) for row in report.collectives)
    warnings = dict.fromkeys((_warning(row), _WARN) for row in report.collectives)
    for text, sgr in (*hints, *warnings, *_notes(report)):
        yield from (painter(line, sgr) + "\n" for line in hanging(text, width))


def _head(report: CollectivesReport, painter: Painter, width: int) -> Iterator[str]:
    """The mesh, and what is moved in total."""
    if report.meshes:
        yield painter("; ".join(map(mesh_picture.title, report.meshes)), _DIM) + "\n"
    if not report.collectives:
        yield "nothing moves between devices: the compiled program has no collectives\n"
        return
    seconds = [row.seconds for row in report.collectives if row.seconds is not None]
    least = f" (≥ {duration(sum(seconds))})" if seconds else ""
    number, calls = len(report.collectives), len({row.signature for row in report.collectives})
    total = f"each device moves {size(report.wire_bytes)} to others{least}, in {count(number, 'collective')}"
    yield painter(total + (f" of {calls} calls" if calls > 1 else ""), _BOLD) + "\n"
    for name, totals in (("by kind", report.by_kind), ("by axes", report.by_axes)):
        parts = [f"{one.name or 'along no axis'} {size(one.wire_bytes)}{_least(one)}" for one in totals]
        for at, line in enumerate(joined(parts, width - 9)):
            yield f"{'' if at else name:<7}  {line}\n"


def _least(one: Moved) -> str:
    return f" (≥ {duration(one.seconds)})" if one.seconds else ""


def _alike(rows: Sequence[Collective]) -> list[tuple[Collective, int]]:
    """Rows that differ only in their names, as those of the layers of a model, are one, with their number."""
    groups: dict[Collective, list[Collective]] = {}
    for row in rows:
        key = replace(row, instruction="", instructions=(), overlaps=None if row.overlaps is None else ())
        groups.setdefault(replace(key, value=_last(row.value)), []).append(row)
    found = [(of[0], len(of)) for of in groups.values()]
    return sorted(found, key=lambda item: -item[0].moved_bytes * item[1])


def _last(value: str | None) -> str | None:
    """Parameters of layers are alike if they go by one name in each."""
    return value if value is None else value.rpartition("]")[0].rpartition("[")[2] or value


def _rows(
    rows: Sequence[tuple[Collective, int]], painter: Painter, room: int, verbose: bool
) -> Iterator[str]:
    shown = rows if verbose else rows[:_MOST]
    heads = ["moved", "times", "in", "out", "kind", "axes", "of", "line"]
    is_wide = room >= _WIDE
    if is_wide:
        heads.append("asked for by")
    cells: list[Row] = [(_cells(row, number, is_wide), "") for row, number in shown]
    yield from table(heads, len(heads) - 4, cells, painter, room)
    if left := rows[len(shown) :]:
        total = size(sum(row.moved_bytes * number for row, number in left))
        many = sum(number for _, number in left)
        yield painter(f"… and {count(many, 'collective')} more, {total}", _DIM) + "\n"
    if verbose:
        for row, _ in shown:
            yield from _details(row, painter)


def _cells(row: Collective, number: int, is_wide: bool) -> tuple[str, ...]:
    """A narrow table says who asked where it says what is moved."""
    value = row.value or row.type
    of = value if is_wide or row.asked_by != "user" else f"{row.primitive} {row.value or ''}".rstrip()
    marks = ("?" if row.runs is None else "") + ("*" if row.in_branch else "")
    cells = (
        size(row.moved_bytes * number),
        f"{row.counted_runs * number:,}{marks}",
        size(row.bytes_in),
        size(row.bytes_out),
        row.kind + ("" if row.overlaps is None else " ∥"),
        ",".join(row.axes) or f"{row.groups} × {row.group}",
        of,
        shown_places(row.lines),
    )
    return (*cells, _why(row)) if is_wide else cells


def _why(row: Collective) -> str:
    """`psum` of the program; of the partitioner's, between which shardings."""
    if row.asked_by == "user":
        return row.primitive
    between = f"{row.before} → {row.after}" if row.before and row.after else ""
    return " ".join(
        part for part in ("partitioner", between or (row.primitive and f"for {row.primitive}")) if part
    )


def _details(row: Collective, painter: Painter) -> Iterator[str]:
    """Names, and what runs meanwhile: for `-v`."""
    yield "\n" + painter(", ".join(row.instructions or (row.instruction,)), _BOLD) + "\n"
    yield f"  {row.kind} of {row.type}, {count(row.groups, 'group')} of {row.group}\n"
    if row.overlaps is not None:
        yield f"  meanwhile: {', '.join(row.overlaps) or 'nothing'}\n"


def _hint(row: Collective) -> str:
    """What would move less; "" if that is not known."""
    return f"hint  {_place(row)}{row.hint}" if row.hint else ""


def _warning(row: Collective) -> str:
    """Where XLA adds more than there is; "" elsewhere."""
    if row.repeats == 1:
        return ""
    return (
        f"warning  {_place(row)}XLA adds each part {row.repeats} times, as so many devices have it, so that "
        f"this sum is {row.repeats} × too large: shard what it is made of over every axis of the mesh, or "
        "leave the other axes out of the mesh"
    )


def _place(row: Collective) -> str:
    return f"{shown_path(row.lines[0])}: " if row.lines else ""


def _lines(totals: Sequence[Moved], painter: Painter, room: int, verbose: bool) -> Iterator[str]:
    """What each line moves, with its text."""
    if not totals:
        return
    shown = totals if verbose else totals[:_MOST]
    place = max((len(shown_path(one.name)) for one in shown), default=0)
    wide = max(len(size(one.wire_bytes)) for one in shown)
    yield "\n" + painter("by line", _BOLD) + "\n"
    for one in shown:
        at = cut_place(one.name, min(place, room // 2)) if one.name else "no line"
        left = f"{size(one.wire_bytes):>{wide}}{_least(one)}  {at:<{min(place, room // 2)}}  "
        yield (left + cut_middle(one.text.strip(), max(room - len(left), 0))).rstrip() + "\n"


def _notes(report: CollectivesReport) -> Iterator[tuple[str, str]]:
    rows = report.collectives
    if not rows:
        return
    yield (
        "numbers are those of one device; moved: what it sends to others, if rings carry it "
        "(as nccl-tests counts bus bandwidth)",
        _DIM,
    )
    if any(row.overlaps is not None for row in rows):
        yield "∥: asynchronous; -v says what runs meanwhile", _DIM
    if any(row.runs is None for row in rows):
        yield "?: in a loop that ends when data say so, of which one iteration is counted", _WARN
    if any(row.in_branch for row in rows):
        yield "*: in a branch of a conditional: each is counted as taken, in cost the costliest alone", _WARN
    for link in report.links:
        speed = f"{size(link.bandwidth)}/s over all links of a {link.device}"
        yield f"≥: at {speed}; a bound, not a prediction ({link.source})", _DIM
