"""`explore` in a few lines: its texts, and how many of their lines are linked."""

from __future__ import annotations

from collections.abc import Iterator

from jitinspect.model.explorations import Exploration, Pane
from jitinspect.model.readings import ExploreReport
from jitinspect.render.readings.columns import Row, table
from jitinspect.render.text import DIM, Painter

_TOLD = "linked: lines that are known to come from a line of Python, and those lines"
_HEADS = ("lines", "linked", "text")


def render(report: ExploreReport, painter: Painter, width: int, verbose: bool) -> Iterator[str]:
    """A row for each pane."""
    made = report.exploration
    rows: list[Row] = [_row(pane, made) for pane in made.panes]
    yield from table(_HEADS, 1, rows, painter, width)
    yield painter(_TOLD, DIM) + "\n"


def _row(pane: Pane, made: Exploration) -> Row:
    if pane.unavailable is not None:
        return ("", "", f"{pane.name}: {pane.unavailable}"), DIM
    return (f"{pane.text.count(chr(10)) + 1:,}", f"{linked(pane, made):,}", pane.name), ""


def linked(pane: Pane, made: Exploration) -> int:
    """How many lines of a pane have an origin; of Python, how many are named by one."""
    if pane.file is None:
        return sum(map(bool, pane.origins))
    last = pane.first + pane.text.count("\n")
    return sum(one.file == pane.file and pane.first <= one.line <= last for one in made.places)
