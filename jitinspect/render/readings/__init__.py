"""The readings as text, a module for each, with `render(report, painter, width, verbose)`."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from jitinspect.render.json import AnyReading
from jitinspect.render.text import DIM, Painter, compiled_for, hanging


def render(report: AnyReading, color: bool, width: int, verbose: bool = False) -> Iterator[str]:
    """The report in blocks, for a terminal of `width` columns; with `verbose`, nothing is cut."""
    module = import_module(f"jitinspect.render.readings.{report.command.replace('-', '_')}")
    painter = Painter(color)
    yield from module.render(report, painter, width, verbose)
    if report.command == "fit":  # which says so itself
        return
    for device in report.target.devices if report.target else ():
        yield from (painter(line, DIM) + "\n" for line in hanging(compiled_for(device), width))
