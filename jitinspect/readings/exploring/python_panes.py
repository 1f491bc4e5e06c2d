"""The user's files whole, and of libraries the functions that operations come from, where no line of the
user's called them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from jitinspect.ir.attribution import Line, is_users
from jitinspect.ir.source_files import SourceFiles
from jitinspect.model.explorations import LineCost, Pane
from jitinspect.process.paths import relative
from jitinspect.readings.exploring.line_costs import Spent
from jitinspect.readings.exploring.origin_table import OriginTable


def python_panes(
    lines: Iterable[Line], own: str | None, table: OriginTable, costs: Mapping[Line, Spent]
) -> Iterator[Pane]:
    """The target's `own` file first, libraries last. A file that cannot be read has none."""
    python = SourceFiles()
    for file, first, last in _parts(lines, own, python):
        text = "\n".join(python[file].lines[first - 1 : last])
        whole = first == 1 and last == len(python[file].lines)
        shown = relative(file).rpartition("/site-packages/")[2]
        yield Pane(
            name=shown if whole else f"{shown}:{first}",
            language="python",
            text=text,
            file=table.file(file),
            first=first,
            costs=tuple(
                LineCost(line.line - first, round(spent.flops), round(spent.bytes), spent.seconds)
                for line, spent in sorted(costs.items())
                if line.file == file and first <= line.line <= last
            ),
        )


def _parts(lines: Iterable[Line], own: str | None, python: SourceFiles) -> list[tuple[str, int, int]]:
    """File, first and last line of each."""
    found: dict[tuple[str, int, int], bool] = {}
    for line in sorted(lines):
        count = len(python[line.file].lines)
        if not 0 < line.line <= count:
            continue
        users = is_users(line.file)
        span = range(1, count + 1) if users else python[line.file].function(line.line)
        found[line.file, span[0], span[-1]] = users
    return sorted(found, key=lambda part: (not found[part], part[0] != own, part))
