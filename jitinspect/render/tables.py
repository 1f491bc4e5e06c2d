"""`ls` and `doctor` as tables."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from jitinspect.model import Diagnosis, ListedCallable, Listing, TargetSupport
from jitinspect.render.text import cut_middle, shown_path, size


def listing(report: Listing, color: bool, width: int) -> str:
    """A row per callable; the signature is last, and is cut if the row does not fit. Of dumps, a row per
    module.
    """
    if report.dumps:
        return _dumps(report, color, width)
    rows = [_cells(row) for row in report.callables]
    heads = ("name", "kind", "static", "donated", "where")
    room = width - sum(max(map(len, column)) + 2 for column in zip(heads, *rows, strict=True))
    table = _table()
    for name in (*heads, "signature"):
        table.add_column(name, no_wrap=True)
    for row, (name, kind, *more, where) in zip(report.callables, rows, strict=True):
        table.add_row(
            Text(name, style="bold" if row.own else "dim"),
            Text(kind, style="green" if kind.endswith("jit") else ""),
            *more,
            Text(where, style="dim"),
            cut_middle(row.signature, max(room, 12)),
        )
    return _text(table, color, width)


def _dumps(report: Listing, color: bool, width: int) -> str:
    table = _table()
    for name in ("", "instructions", "files", "size"):
        table.add_column(name, no_wrap=True, justify="right")
    for name in ("module", "target", ""):
        table.add_column(name, no_wrap=True)
    for row in report.dumps:
        counted = "" if row.instructions is None else f"{row.instructions:,}"
        table.add_row(
            str(row.number),
            counted,
            str(row.files),
            size(row.bytes),
            Text(row.name, style="bold"),
            Text(shown_path(row.target), style="dim"),
            Text("" if row.is_compiled else "not optimized: the compiler did not get there", style="yellow"),
        )
    return _text(table, color, width)


def _cells(row: ListedCallable) -> tuple[str, ...]:
    where = f"{shown_path(row.file)}:{row.line}" if row.file else ""
    return row.name, row.kind, _names(row.static), _names(row.donated), where


def diagnosis(report: Diagnosis, color: bool, width: int) -> str:
    """Three lists: versions, devices and settings; the readings that are supported; other devices that can be
    compiled for.
    """
    environment = report.environment
    facts = {
        "jitinspect": environment.jitinspect,
        "jax": environment.jax,
        "jaxlib": environment.jaxlib,
        "python": environment.python,
        "platform": f"{environment.platform} ({environment.device_kind})",
        "devices": ", ".join(report.devices),
        "XLA_FLAGS": environment.xla_flags or "not set",
        "cache folder": report.cache_folder or "none: compilations are not kept on disk",
        **report.config,
    }
    table = _table(show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(Text(name, style="bold"), Text(value))
    table.add_section()
    for reading in report.readings:
        answer = (
            Text("yes", style="green") if reading.available else Text(f"no: {reading.why}", style="yellow")
        )
        table.add_row(Text(reading.reading, style="bold"), answer)
    table.add_section()
    for target in report.targets:
        mark = Text("yes" if target.available else "no ", style="green" if target.available else "yellow")
        table.add_row(
            Text(f"--target {target.name}", style="bold"),
            mark.append(f"  {target.kind}, {size(target.memory)}", style="default"),
        )
    notes = "".join(f"\ncache folder: {note}\n" for note in report.cache_notes)
    return _text(table, color, width) + notes + "".join(_missing(report.targets))


def _missing(targets: Iterable[TargetSupport]) -> Iterator[str]:
    """What to type for the targets that cannot be compiled for; never folded, so that it can be copied."""
    lacking: dict[tuple[str | None, str], list[str]] = {}
    for target in targets:
        if target.install:
            lacking.setdefault((target.why, target.install), []).append(target.name)
    for (why, install), names in lacking.items():
        shown = ", ".join(names) if len(names) < 3 else f"{names[0]} to {names[-1]}"
        yield f"\nTo compile for {shown} ({why}):\n  {install}\n"


def _table(show_header: bool = True) -> Table:
    return Table(box=None, pad_edge=False, show_header=show_header, header_style="dim")


def _names(labels: Iterable[str | int]) -> str:
    return ", ".join(map(str, labels))


def _text(table: Table, color: bool, width: int) -> str:
    """Without color there is no escape code at all: `no_color` alone leaves bold (seen on rich 13 to 15)."""
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=width,
        color_system="standard" if color else None,
        force_terminal=color,
        markup=False,
        highlight=False,
    )
    console.print(table)
    return "\n".join(line.rstrip() for line in stream.getvalue().split("\n"))
