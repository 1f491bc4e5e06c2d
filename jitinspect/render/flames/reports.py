"""What of a report a flame graph shows, whatever the report is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from jitinspect.model.flames import Slice, Stack

if TYPE_CHECKING:
    from jitinspect.render.json import AnyReport


@dataclass(frozen=True, slots=True)
class Flames:
    """What one graph is drawn from, and what viewers call it: `profile net:loss`."""

    name: str
    stacks: tuple[Stack, ...]
    timeline: tuple[Slice, ...] = ()


def flames_of(report: AnyReport) -> list[Flames]:
    """One for each call of a sweep; none for a report in which no time has a stack."""
    parts: list[Any] = []
    for part in _parts(report):
        if any(stack.seconds > 0 for stack in getattr(part, "stacks", ())) and part not in parts:
            parts.append(part)
    return [_flames(part, _name(report, part if len(parts) > 1 else None)) for part in parts]


def _parts(report: AnyReport) -> Iterator[object]:
    """The report, and what its fields hold."""
    yield report
    for value in (getattr(report, field.name) for field in fields(report)):
        if is_dataclass(value):
            yield value
        elif isinstance(value, tuple) and hasattr(next(iter(value), None), "stacks"):
            yield from value


def _flames(part: Any, name: str) -> Flames:
    stacks = tuple(stack for stack in part.stacks if stack.seconds > 0)
    return Flames(name, stacks, getattr(part, "timeline", ()))


def _name(report: Any, part: Any) -> str:
    target = getattr(report, "target", None)
    subject = target.ref if target else getattr(report, "program", "")
    dims: Mapping[str, int] = getattr(part, "dims", {})
    return " ".join([report.command, subject, *(f"{name}={size}" for name, size in dims.items())]).strip()
