"""Which part of a compilation grows faster than the program, over a sweep of sizes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import log

from jitinspect.model.compile_times import CompileTime, Growth
from jitinspect.readings.cost_model import power_law
from jitinspect.readings.cost_model.power_law import PowerLaw

_LEAST_SHARE = 0.02
"""Of all time at the size that takes longest, for a part to be looked at."""
_LEAST_POINTS = 3
"""Any power fits two."""
_MARGIN = 0.2
"""By how much an exponent must exceed that of the program, however well it fits."""


def growth(times: Sequence[CompileTime]) -> list[Growth]:
    """The parts that outgrow the program first, then the others, each the longest first."""
    sizes = [one.dims for one in times]
    parts = [_parts(one) for one in times]
    whole = [sum(one.wall_seconds.values()) for one in times]
    longest = parts[whole.index(max(whole))]
    long = [part for part, spent in longest.items() if spent >= _LEAST_SHARE * max(whole)]
    program = power_law.fit(sizes, [one.instructions for one in times])
    if program is None:
        return []
    found = [
        row
        for part in sorted(long, key=lambda part: -longest[part])
        for row in _growth(part, sizes, [one.get(part, 0.0) for one in parts], program)
    ]
    return sorted(found, key=lambda row: not row.faster)


def _growth(
    part: str, sizes: Sequence[Mapping[str, int]], seconds: Sequence[float], program: PowerLaw
) -> Iterator[Growth]:
    """By dimension. An exponent errs by as much as the points do over the whole range of sizes."""
    fitted = power_law.fit(sizes, seconds)
    for dim, exponent in fitted.exponents.items() if fitted else ():
        error = fitted.error if fitted else 0.0
        points = [one[dim] for one in sizes]
        margin = max(_MARGIN, log(1 + error) / log(max(points) / min(points)))
        than = program.exponents[dim]
        is_known = len({*points}) >= _LEAST_POINTS
        found = Growth(part, dim, exponent, than, error, is_known and exponent - than > margin)
        yield found if found.is_clear else replace(found, faster=False)


def _parts(time: CompileTime) -> dict[str, float]:
    """The seconds of each stage, phase and pass. A pass is in several pipelines."""
    parts: defaultdict[str, float] = defaultdict(float, time.wall_seconds)
    for phase in time.phases:
        parts[phase.phase] += phase.seconds
    for one in time.passes:
        parts[f"pass {one.pass_}"] += one.seconds
    return parts
