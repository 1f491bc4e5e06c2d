"""The costs of one call on several devices as one report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from jitinspect.model.readings import CostReport


def merged(reports: Sequence[CostReport]) -> CostReport:
    """A report for each device → a sweep over them all: each cost is labelled by the device of its roofline,
    and the first is that of the report. One report is returned as it is. How costs grow with sizes is left
    out, since that is for one device.

    Raises `ValueError` if there is no report.
    """
    if not reports:
        raise ValueError("no report to merge")
    if len(reports) == 1:
        return reports[0]
    costs = tuple(cost for report in reports for cost in (report.sweep or (report.cost,)))
    events = tuple(event for report in reports for event in report.events)
    return replace(reports[0], cost=costs[0], sweep=costs, growth=(), events=events)
