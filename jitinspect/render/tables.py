"""`ls` and `doctor` as tables."""

from __future__ import annotations

import io
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from jitinspect.model import Diagnosis, Listing
from jitinspect.render.text import shown_path


def listing(report: Listing, color: bool, width: int) -> str:
    """A row per callable: those of the module first, what it imported after it."""
    table = _table("name", "kind", "signature", "static", "donated", "where")
    for row in report.callables:
        where = f"{shown_path(row.file)}:{row.line}" if row.file else ""
        name = Text(row.name, style="bold" if row.own else "dim")
        kind = Text(row.kind, style="green" if row.kind.endswith("jit") else "")
        table.add_row(
            name, kind, row.signature, _names(row.static), _names(row.donated), Text(where, style="dim")
        )
    return _text(table, color, width)


def diagnosis(report: Diagnosis, color: bool, width: int) -> str:
    """Three short lists: what is here, how JAX is set, what can be read."""
    environment = report.environment
    here = {
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
    for name, value in here.items():
        table.add_row(Text(name, style="bold"), Text(value))
    table.add_section()
    for reading in report.readings:
        mark = Text("yes", style="green") if reading.available else Text(f"no: {reading.why}", style="yellow")
        table.add_row(Text(reading.reading, style="bold"), mark)
    return _text(table, color, width)


def _table(*columns: str, show_header: bool = True) -> Table:
    table = Table(*columns, box=None, pad_edge=False, show_header=show_header, header_style="dim")
    for column in table.columns:
        column.overflow = "fold"
    return table


def _names(labels: Iterable[str | int]) -> str:
    return ", ".join(map(str, labels))


def _text(table: Table, color: bool, width: int) -> str:
    """Without colour also without any escape: `no_color` alone leaves bold (seen on rich 13 to 15)."""
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
