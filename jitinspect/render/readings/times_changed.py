"""What got slower between two measurements, as text: for `diff`."""

from __future__ import annotations

from collections.abc import Iterator

from jitinspect.model.time_differences import TimeChange, TimeDifference, TimeTable
from jitinspect.render.readings.columns import Row, table
from jitinspect.render.text import ALL, Painter, duration, hanging, joined, shown_places, significant

_DIM, _BOLD = "2", "1"
_SGR = {"slower": "31", "faster": "32", "same": "2"}
_MOST = 12
"""Rows of a table, unless verbose."""


def render(one: TimeDifference, painter: Painter, width: int, verbose: bool) -> Iterator[str]:
    """The whole, then the parts that changed; with `verbose` all of them."""
    yield "\n"
    for line in joined(_total(one), width):
        yield painter(line, _BOLD if one.total.verdict == "same" else _SGR[one.total.verdict]) + "\n"
    for each in one.tables:
        yield from _table(each, painter, ALL if verbose else width, verbose)
    noise = f"noise: {one.noise}; a part's is in proportion to the square root of its share"
    yield from (painter(line, _DIM) + "\n" for line in hanging(noise, width))


def _table(one: TimeTable, painter: Painter, room: int, verbose: bool) -> Iterator[str]:
    changed = [change for change in one.changes if change.verdict != "same"]
    shown = one.changes if verbose else changed[:_MOST]
    if shown:
        yield f"\n{painter(f'by {one.by}', _BOLD)}\n"
        what = "text" if one.by == "line" else one.by
        heads = ["change", "before", "after", "", what, "line"]
        columns = len(heads) if any(change.lines for change in shown) else len(heads) - 1
        rows: list[Row] = [(_cells(change)[:columns], _SGR[change.verdict]) for change in shown]
        yield from table(heads[:columns], columns - 3, rows, painter, room)
    if (left := len(changed) - len(shown)) > 0:
        yield painter(f"… and {left} more that changed", _DIM) + "\n"


def _cells(change: TimeChange) -> tuple[str, ...]:
    return (
        _more(change),
        "" if change.before is None else duration(change.before),
        "" if change.after is None else duration(change.after),
        change.verdict,
        change.name,
        shown_places(change.lines),
    )


def _more(change: TimeChange) -> str:
    return f"{'−' if change.more < 0 else '+'}{duration(abs(change.more))}"


def _either(change: TimeChange) -> str:
    before, after = change.before or 0.0, change.after or 0.0
    times = f" (× {significant(after / before)})" if before and after else ""
    return f"{duration(before)} → {duration(after)}{times}"


def _total(one: TimeDifference) -> list[str]:
    total = one.total
    name = " ".join([total.name, *(f"{name}={size}" for name, size in one.dims.items())])
    told = f"{total.verdict} by {duration(abs(total.more))}"
    if total.verdict == "same":
        told = "the same within noise"
    return [f"{name}  {_either(total)}", told, f"noise ± {duration(total.noise)}"]
