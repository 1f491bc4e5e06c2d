"""A report as text, for a terminal or a pipe: the artifacts, under headings where there are several."""

from __future__ import annotations

from collections.abc import Iterator

from jitinspect.model import Artifact, Report

LANGUAGES = {"hlo-before": "hlo"}
"""The language of a stage's text, where it is not the stage's own name."""

_HEADING = "\x1b[1;7m{}\x1b[0m"


def render(report: Report, color: bool) -> Iterator[str]:
    """The report in blocks; with colour off a single artifact is its very text, and a final newline."""
    alone = len(report.artifacts) == 1
    for artifact in report.artifacts:
        if not alone:
            heading = f" {artifact_title(artifact)} "
            yield (_HEADING.format(heading) if color else f"=={heading}==") + "\n"
        yield from _body(artifact, color)
        if not artifact.text.endswith("\n"):
            yield "\n"
        if not alone:
            yield "\n"


def artifact_title(artifact: Artifact) -> str:
    """What tells this artifact from its siblings: `stablehlo  f(f32[8])  for tpu`."""
    platform = f"  for {artifact.platform}" if artifact.platform else ""
    dims = "".join(f"  {name}={size}" for name, size in artifact.dims.items())
    return f"{artifact.stage}  {artifact.signature}{platform}{dims}"


def _body(artifact: Artifact, color: bool) -> Iterator[str]:
    if artifact.unavailable is not None:
        yield f"not available: {artifact.unavailable}"
    elif color:
        from jitinspect.render.highlight import highlight
        from jitinspect.render.highlight.theme import TERMINAL

        yield from highlight(artifact.text, LANGUAGES.get(artifact.stage, artifact.stage), TERMINAL)
    else:
        yield artifact.text
