"""A report as text, for a terminal or a pipe: artifacts and keys, with headings if there are several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jitinspect.model import Artifact, CacheKey, Report
from jitinspect.render.text import WIDE, Painter

LANGUAGES = {"hlo-before": "hlo"}
"""The language of a stage's text, if its name is not that of the stage."""

_HEADING = "\x1b[1;7m{}\x1b[0m"


def render(report: Report, color: bool, verbose: bool = False, width: int = WIDE) -> Iterator[str]:
    """The report in blocks. Without color, a single artifact is its exact text and a final newline.

    `width` does not apply to JAX's own text, which is never cut.
    """
    alone = len(report.artifacts) + len(report.keys) == 1
    if report.against:
        from jitinspect.render.key import comparison_text

        yield from comparison_text(report.against, color, verbose)
    for artifact in report.artifacts:
        if not alone:
            yield _heading(artifact_title(artifact), color)
        yield from _body(artifact, color, width, verbose)
        if not artifact.text.endswith("\n") and not (artifact.stats or artifact.outline):
            yield "\n"
        if not alone:
            yield "\n"
    for key in report.keys:
        if not alone:
            yield _heading(key_title(key), color)
        from jitinspect.render.key import key_text

        yield from key_text(key, color, verbose)
        if not alone:
            yield "\n"


def key_title(key: CacheKey) -> str:
    """`key  f(f32[8])`, like the title of an artifact."""
    return f"key  {key.signature}{_sizes(key.dims)}"


def artifact_title(artifact: Artifact) -> str:
    """The title that distinguishes this artifact: `stablehlo  f(f32[8])  for tpu`."""
    platform = f"  for {artifact.platform}" if artifact.platform else ""
    return f"{artifact.stage}  {artifact.signature}{platform}{_sizes(artifact.dims)}"


def _sizes(dims: Mapping[str, int]) -> str:
    return "".join(f"  {name}={size}" for name, size in dims.items())


def _heading(title: str, color: bool) -> str:
    return (_HEADING.format(f" {title} ") if color else f"== {title} ==") + "\n"


def _body(artifact: Artifact, color: bool, width: int, verbose: bool) -> Iterator[str]:
    if artifact.unavailable is not None:
        yield f"not available: {artifact.unavailable}"
    elif artifact.stats or artifact.outline:
        from jitinspect.render import views

        yield from views.render(artifact, Painter(color), width, verbose)
    elif color:
        from jitinspect.render.highlight import highlight
        from jitinspect.render.highlight.theme import TERMINAL

        yield from highlight(artifact.text, LANGUAGES.get(artifact.stage, artifact.stage), TERMINAL)
    else:
        yield artifact.text
