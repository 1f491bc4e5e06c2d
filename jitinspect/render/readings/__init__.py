"""The readings as text, a module for each, with `render(report, painter, width, verbose)`."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from jitinspect.render.json import AnyReading
from jitinspect.render.text import Painter


def render(report: AnyReading, color: bool, width: int, verbose: bool = False) -> Iterator[str]:
    """The report in blocks, for a terminal of `width` columns; with `verbose`, nothing is cut."""
    module = import_module(f"jitinspect.render.readings.{report.command}")
    yield from module.render(report, Painter(color), width, verbose)
