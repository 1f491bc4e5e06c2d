"""A report as one self-contained HTML page: no font, no network, and no script but that of a flame graph."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING

from jitinspect.model import Artifact, CompileEvent, Environment, Report, Target
from jitinspect.model.communication import ShardingReport
from jitinspect.model.differences import DiffReport
from jitinspect.render import views
from jitinspect.render.flames import graph
from jitinspect.render.flames.reports import flames_of
from jitinspect.render.highlight import highlight
from jitinspect.render.highlight.theme import CSS, HTML
from jitinspect.render.key import comparison_text, key_text
from jitinspect.render.log import event_line
from jitinspect.render.terminal import LANGUAGES, artifact_title, key_title
from jitinspect.render.text import Painter, compiled_for, seconds, shown_path

if TYPE_CHECKING:
    from jitinspect.model.explorations import Exploration
    from jitinspect.render.json import AnyReading
    from jitinspect.render.pages.explorer import Heat, Picture

_PAINTED = re.compile(r"\x1b\[([1-9][\d;]*)m")
_FILLS = {
    31: ("#ffd7d5", "#8e1519"), 32: ("#c6efce", "#0f5323"), 33: ("#ffe9a8", "#5c4200"),
    34: ("#cfe3ff", "#0a3069"), 35: ("#ead9ff", "#512a97"), 36: ("#c5f0f2", "#0a4a50"),
}  # fmt: skip
"""A tile's colour on a light page and on a dark one, by the terminal's own colour."""
_HEATS: Mapping[str, Heat] = {"cost": "flops", "profile": "seconds"}
"""What the page of a reading shows beside lines at first: what the reading is about."""
_SGR = (
    ".sgr-1 { font-weight: 600; } .sgr-2 { opacity: .65; } .sgr-33 { color: light-dark(#7a5200, #e3b341); }\n"
)
_SGR += ".sgr-36 { color: light-dark(#0b6e75, #56d4dd); }\n"
_SGR += "".join(
    f".sgr-7-{number} {{ background: light-dark({light}, {dark}); }}\n"
    for number, (light, dark) in _FILLS.items()
)
_STYLE = """
:root { color-scheme: light dark; }
body { margin: 2rem; font: 15px/1.5 system-ui, sans-serif; }
pre { overflow-x: auto; padding: 1rem; border: 1px solid #8884; border-radius: 6px; line-height: 1.35; }
table { border-collapse: collapse; } td, th { padding: .15rem .8rem .15rem 0; text-align: left; }
td.time { text-align: right; font-variant-numeric: tabular-nums; }
h1 { font-size: clamp(1.1rem, 4vw, 2em); } code { overflow-wrap: anywhere; }
h2 { margin-top: 2rem; } .muted { opacity: .65; }
"""


def render(report: Report) -> Iterator[str]:
    """The page in blocks: target, compile log, then each artifact and key; or the explorer."""
    if report.exploration is not None:
        yield from _explorer(report, report.exploration, _log_and_keys(report))
        return
    yield from _head(f"{report.target.ref} – {report.command}")
    yield f"<h1><code>{escape(report.target.signature)}</code></h1>\n"
    yield f"<p class=muted>{escape(_about(report.target, report.environment))}</p>\n"
    for device in report.target.devices:
        yield f"<p class=muted>{escape(compiled_for(device))}</p>\n"
    yield from _log(report.events)
    for artifact in report.artifacts:
        yield from _section(artifact)
    if report.against:
        yield f"<pre>{escape(''.join(comparison_text(report.against, color=False)))}</pre>\n"
    for key in report.keys:
        yield f"<h2>{escape(key_title(key))}</h2>\n"
        yield f"<pre>{escape(''.join(key_text(key, color=False, verbose=True)))}</pre>\n"
    yield "</main></body></html>\n"


def render_reading(report: AnyReading, served: int | None = None) -> Iterator[str]:
    """The page of a reading: its full text, as wide as a screen; or the explorer, which may be `served`."""
    from jitinspect.render import readings

    if (exploration := getattr(report, "exploration", None)) is not None:
        is_its_text = report.command == "explore"
        text = "" if is_its_text else "".join(readings.render(report, color=False, width=160, verbose=True))
        yield from _explorer(report, exploration, text, served, _picture(report))
        return
    subject = report.target.ref if report.target else report.command
    yield from _head(f"{subject} – {report.command}", _style(report))
    if report.target:
        yield f"<h1><code>{escape(report.target.signature)}</code></h1>\n"
        yield f"<p class=muted>{escape(_about(report.target, report.environment))}</p>\n"
    yield from _flames(report)
    yield from _log(report.events)
    yield f"<h2>{report.command}</h2>\n"
    drawn = report.command == "sharding"
    text = "".join(readings.render(report, color=drawn, width=160, verbose=True))
    yield f"<pre>{_spans(text) if drawn else escape(text)}</pre>\n"
    yield "</main></body></html>\n"


def _explorer(
    report: Report | AnyReading,
    exploration: Exploration,
    text: str,
    served: int | None = None,
    picture: Picture | None = None,
) -> Iterator[str]:
    """All stages side by side, the report's own `text` in front."""
    from jitinspect.render.pages import explorer

    if text:
        exploration = explorer.with_text(exploration, report.command, text)
    title, signature, about = _named(report)
    command = f"jitinspect {report.command} {title}"
    flames, heat = flames_of(report), _HEATS.get(report.command)
    yield from explorer.page(title, signature, about, command, exploration, flames, served, picture, heat)


def _picture(report: AnyReading) -> Picture | None:
    """Who has which part of an array, which only colours show well."""
    if not isinstance(report, ShardingReport) or not report.meshes:
        return None
    from jitinspect.render.pages.explorer import Picture
    from jitinspect.render.readings.sharding import pictures

    text = "".join(pictures(report, Painter(True), 160))
    return Picture("Who has which part", _spans(text), _SGR)


def _named(report: Report | AnyReading) -> tuple[str, str, str]:
    """The page's title, the signature, and where and for what it was made. A comparison has no one target."""
    if isinstance(report, DiffReport):
        return f"{report.before} → {report.after}", "", _made_with(report.environment)
    target = report.target
    assert target is not None, "what else has an exploration has a target"
    about = " · ".join([shown_path(_about(target, report.environment)), *map(compiled_for, target.devices)])
    return target.ref, target.signature, about


def _log_and_keys(report: Report) -> str:
    """What `show` has besides its stages."""
    log = "".join(event_line(event, 160, color=False) + "\n" for event in report.events if not event.internal)
    keys = "".join("".join(key_text(key, color=False, verbose=True)) for key in report.keys)
    return f"{log}\n{keys}".strip("\n")


def _style(report: AnyReading) -> str:
    return graph.style() if flames_of(report) else ""


def _flames(report: AnyReading) -> Iterator[str]:
    """The flame graphs of a report on where time went."""
    for flames in flames_of(report):
        yield from graph.graph(flames)


def _spans(text: str) -> str:
    """The text of a terminal with its colours: as on a terminal, `7` fills what it marks."""
    return _PAINTED.sub(
        lambda found: f'<span class="sgr-{found[1].replace(";", "-")}">', escape(text)
    ).replace("\x1b[0m", "</span>")


def _head(title: str, style: str = "") -> Iterator[str]:
    yield '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    yield f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    yield f"<style>{_STYLE}{_SGR}{CSS}{style}</style></head>\n<body>\n<main>\n"


def _about(target: Target, environment: Environment | None) -> str:
    where = f"{target.file}:{target.line}" if target.file else target.module
    return " · ".join(filter(None, (where, _made_with(environment))))


def _made_with(environment: Environment | None) -> str:
    if environment is None:
        return ""
    return f"jax {environment.jax} · {environment.platform} ({environment.device_kind})"


def _log(events: tuple[CompileEvent, ...]) -> Iterator[str]:
    yield "<h2>Compile log</h2>\n<table>\n"
    for event in events:
        yield "<tr class=muted>" if event.internal else "<tr>"
        yield f"<td>{event.phase}</td><td class=time>{seconds(event.seconds)}</td>"
        yield f"<td><code>{escape(event.signature or event.function)}</code></td>"
        yield f"<td class=muted>{escape(event.source or '')}</td></tr>\n"
    yield "</table>\n"


def _section(artifact: Artifact) -> Iterator[str]:
    yield f"<h2>{escape(artifact_title(artifact))}</h2>\n"
    if artifact.unavailable is not None:
        yield f"<p>not available: {escape(artifact.unavailable)}</p>\n"
        return
    yield "<pre>"
    if artifact.stats or artifact.outline:
        yield escape("".join(views.render(artifact, Painter(False), 160, verbose=True)))
    yield from highlight(artifact.text, LANGUAGES.get(artifact.stage, artifact.stage), HTML)
    yield "</pre>\n"
