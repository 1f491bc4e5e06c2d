"""The two sides of a comparison, each a report (made now or saved) or a text → what differs between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from jitinspect.errors import LoadError, UsageError
from jitinspect.model import Artifact, Report
from jitinspect.model.communication import Collective
from jitinspect.model.differences import STAGES, Difference, DiffReport
from jitinspect.model.explorations import Exploration
from jitinspect.process import garbage_collection
from jitinspect.readings.diff.collectives_changed import rows_of_report
from jitinspect.readings.diff.pane_comparisons import compared_panes
from jitinspect.readings.diff.stage_texts import difference
from jitinspect.readings.exploring.two_sides import side_by_side

_BEGINNINGS = {
    "HloModule": "hlo",
    "module": "stablehlo",
    "{ lambda": "jaxpr",
    "let ": "jaxpr",
    "#loc": "stablehlo",
}
"""How the text of a stage begins."""


@dataclass(frozen=True, slots=True)
class Side:
    """What is compared: a text for each stage, the executable's peak memory, if known, and its collectives,
    None if no more is known of them than the text says. `exploration` is for a page.
    """

    label: str
    texts: Mapping[str, str]
    peaks: Mapping[str, int | None] = field(default_factory=dict)
    collectives: tuple[Collective, ...] | None = None
    exploration: Exploration | None = None


def sides_of(report: Report, label: str) -> list[Side]:
    """One for each size in a sweep and each platform. Raises `LoadError` for a report without stages."""
    found: dict[tuple[object, ...], list[Artifact]] = {}
    for artifact in report.artifacts:
        if artifact.stage in STAGES and artifact.text:
            key = (*sorted(artifact.dims.items()), artifact.platform)
            found.setdefault(key, []).append(artifact)
    if not found:
        raise LoadError(f"{label} has no stage that can be compared", hint=f"such as {', '.join(STAGES[:3])}")
    return [_side(artifacts, label) for artifacts in found.values()]


def _side(artifacts: list[Artifact], label: str) -> Side:
    first = artifacts[0]
    sizes = [f"{name}={size}" for name, size in first.dims.items()]
    platform = [f"for {first.platform}"] if first.platform else []
    return Side(
        " ".join([first.signature if sizes else label, *sizes, *platform]),
        {one.stage: one.text for one in artifacts},
        {one.stage: one.peak_bytes for one in artifacts},
    )


def text_side(path: Path, text: str) -> Side:
    """A file with a stage's text. Raises `LoadError` if the stage cannot be recognised from the text."""
    for beginning, stage in _BEGINNINGS.items():
        if text.lstrip().startswith(beginning):
            return Side(str(path), {stage: text})
    raise LoadError(f"{path} is neither a report nor the text of a stage", hint="jitinspect hlo … -o a.hlo")


def compare(before: Side, after: Side, stages: Iterable[str], context: int) -> DiffReport:
    """Compares `stages`, by default all that both have. Raises `UsageError` if a side lacks one, or all."""
    wanted = tuple(stages) or tuple(
        stage for stage in STAGES if stage in before.texts and stage in after.texts
    )
    for stage in wanted:
        for side in (before, after):
            if stage not in side.texts:
                available = ", ".join(side.texts)
                hint = f"it has {available}: --stage {available}"
                raise UsageError(f"{side.label} has no {stage}", hint=hint)
    if not wanted:
        hint = f"one has {', '.join(before.texts)}, the other {', '.join(after.texts)}"
        raise UsageError("the two have no stage in common", hint=hint)
    with garbage_collection.paused():
        found = tuple(_differences(before, after, wanted, context))
    first = next((one for one in found if not one.same), found[0])
    return DiffReport("diff", before.label, after.label, first, found, exploration=_explored(before, after))


def _explored(before: Side, after: Side) -> Exploration | None:
    """If both are."""
    if before.exploration is None or after.exploration is None:
        return None
    both = side_by_side(before.exploration, after.exploration)
    found = compared_panes(before.exploration, after.exploration, both.panes)
    with garbage_collection.paused():
        return replace(both, comparisons=tuple(found))


def _differences(before: Side, after: Side, stages: Iterable[str], context: int) -> Iterator[Difference]:
    known = None
    if before.collectives is not None and after.collectives is not None:
        known = rows_of_report(before.collectives), rows_of_report(after.collectives)
    for stage in stages:
        peaks = before.peaks.get(stage), after.peaks.get(stage)
        yield difference(stage, before.texts[stage], after.texts[stage], context, peaks, known)
