"""What `%%compiles` shows below its cell."""

from __future__ import annotations

from jitinspect.model.runs import RunReport
from jitinspect.render.json import to_json


class CellCompilations:
    """What one cell compiled, and why."""

    def __init__(self, report: RunReport) -> None:
        self.report = report
        """All of it, as the data that `jitinspect.model.runs` describes."""

    def to_json(self) -> str:
        """The document that `jitinspect run --json` prints of a program."""
        return to_json(self.report)

    def __repr__(self) -> str:
        from jitinspect.render import cell

        return "".join(cell.render(self.report, width=120)).rstrip("\n")

    def _repr_html_(self) -> str:
        from jitinspect.render import fragments

        return fragments.of_cell(self.report)
