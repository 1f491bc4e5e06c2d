"""A report as a piece of HTML for a notebook: it keeps to itself, and needs no script.

Each selector of its style begins with the container's class, so that nothing else on the page is touched;
that class is repeated so that the notebook's own style for tables and texts does not get in. It is light or
dark as the notebook is, or else as the reader's system is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING

from jitinspect.model import Artifact, CompileEvent, Environment, Report, Target
from jitinspect.render import cell, run
from jitinspect.render.highlight import highlight
from jitinspect.render.highlight.theme import CLASSES, HTML
from jitinspect.render.key import key_text
from jitinspect.render.run import why
from jitinspect.render.terminal import LANGUAGES, artifact_title, key_title
from jitinspect.render.text import Painter, compiled_for, count, seconds, shown_path

if TYPE_CHECKING:
    from jitinspect.model.runs import Compilation, FunctionCost, RunReport
    from jitinspect.render.json import AnyReading

WIDTH = 110
"""Columns of a text in a fragment: a line that is longer is reached by scrolling."""

_SCOPE = ".jitinspect.jitinspect.jitinspect"
_LIGHT = '[data-jp-theme-light="true"], [data-vscode-theme-kind*="light"], html[theme="light"]'
_DARK = '[data-jp-theme-light="false"], [data-vscode-theme-kind*="dark"], html[theme="dark"]'
"""How JupyterLab, VS Code and Colab say which they are."""
_COLOURS = {
    31: ("#ffd7d5", "#8e1519", "#a40e26", "#ffa198"), 32: ("#c6efce", "#0f5323", "#116329", "#7ee787"),
    33: ("#ffe9a8", "#5c4200", "#7a5200", "#e3b341"), 34: ("#cfe3ff", "#0a3069", "#0550ae", "#79c0ff"),
    35: ("#ead9ff", "#512a97", "#8250df", "#d2a8ff"), 36: ("#c5f0f2", "#0a4a50", "#0b6e75", "#56d4dd"),
}  # fmt: skip
"""By the terminal's own number: the color of a tile on a light page and on a dark one, then of a text."""
_RULES = {
    "": "color-scheme: light dark; margin: .25em 0; padding: .6em .8em; max-width: 100%; "
    "box-sizing: border-box; border: 1px solid light-dark(#d0d7de, #3d444d); border-radius: 6px; "
    "background: light-dark(#fff, #16191d); color: light-dark(#1f2328, #e6edf3); "
    "font: 13px/1.45 system-ui, sans-serif; text-align: left",
    f":is({_LIGHT.replace(',', ' *,')} *)": "color-scheme: light",
    f":is({_DARK.replace(',', ' *,')} *)": "color-scheme: dark",
    " *": "color: inherit; background: none; font-family: inherit; font-size: inherit; text-align: left",
    " p": "margin: 0 0 .4em",
    " pre, $ code": "font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 12px; padding: 0; "
    "border: 0; background: none",
    " pre": "margin: .3em 0 0; line-height: 1.4; white-space: pre; overflow: auto; max-height: 34em",
    " pre *": "font-family: inherit",
    " code": "white-space: pre-wrap; overflow-wrap: anywhere",
    " summary": "cursor: pointer; font-weight: 600; padding: .15em 0; display: list-item",
    " table": "border-collapse: collapse; border: 0; margin: .2em 0 0; width: auto; table-layout: auto",
    " tr, $ tr:nth-child(odd), $ tr:hover": "background: none; border: 0",
    " th, $ td": "padding: .25em 1.1em .25em 0; border: 0; vertical-align: top; max-width: 40em; "
    "white-space: normal; font-weight: inherit",
    " .time": "text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums",
    " .muted": "opacity: .68",
    " .badge": "display: inline-block; padding: 0 .5em; border-radius: 4px; font-size: 11px; "
    "font-weight: 600; letter-spacing: .02em",
    " .scroll": "overflow-x: auto",
    " .CACHED, $ .DISK": "background: light-dark(#eaeef2, #2b3138)",
    " .COMPILED": "background: light-dark(#cfe3ff, #0a3069)",
    " .TRACED, $ .LOWERED": "background: light-dark(#ead9ff, #512a97)",
    " .avoidable": "background: light-dark(#ffe9a8, #5c4200)",
    " .RAISED": "background: light-dark(#ffd7d5, #8e1519)",
    " .s1": "font-weight: 600",
    " .s2": "opacity: .65",
    " .s3": "font-style: italic",
    **{f" .s{number}": f"color: light-dark({one[2]}, {one[3]})" for number, one in _COLOURS.items()},
    **{
        f" .s7.s{number}": f"background: light-dark({one[0]}, {one[1]}); color: inherit"
        for number, one in _COLOURS.items()
    },
    **{f" pre .{name}": css for name, (_, css) in CLASSES.items()},
}
"""What follows the container's class, and the style; `$` stands for that class again."""
_STYLE = "".join(
    f"{_SCOPE}{selector.replace('$', _SCOPE)} {{ {css}; }}\n" for selector, css in _RULES.items()
)
_PAINTED = re.compile(r"\x1b\[([\d;]*)m")


def fragment(body: Iterable[str]) -> str:
    """The container, its style, and what is in it."""
    return f'<div class="jitinspect"><style>\n{_STYLE}</style>\n{"".join(body)}</div>'


def of_inspection(report: Report) -> str:
    """Each stage and key can be folded; a single one is simply there."""
    return fragment(_inspection(report))


def of_reading(report: AnyReading) -> str:
    """The text of the reading, in its colors."""
    return fragment(_reading(report))


def of_run(report: RunReport) -> str:
    """The summary, and below it each compilation."""
    return fragment(_run(report))


def of_cell(report: RunReport) -> str:
    """A row for each compilation in the cell, and for each function whose calls were cached."""
    return fragment(_cell(report))


def _inspection(report: Report) -> Iterator[str]:
    yield from _head(report.target, report.environment)
    alone = len(report.artifacts) + len(report.keys) == 1
    for number, artifact in enumerate(report.artifacts):
        yield from _folded(artifact_title(artifact), _artifact(artifact), alone, is_open=not number)
    for key in report.keys:
        text = "".join(key_text(key, color=True, verbose=True))
        yield from _folded(key_title(key), [f"<pre>{painted(text)}</pre>"], alone)
    yield from _log(report.events)


def _reading(report: AnyReading) -> Iterator[str]:
    from jitinspect.render import readings

    text = "".join(readings.render(report, color=True, width=WIDTH))
    if report.target:
        says_it = report.target.signature in text
        yield from _head(report.target, report.environment, with_signature=not says_it)
    yield f"<pre>{painted(text)}</pre>\n"
    yield from _log(report.events)


def _run(report: RunReport) -> Iterator[str]:
    text = "".join(run.render(report, color=True, width=WIDTH)).lstrip("\n")
    yield f"<pre>{painted(text)}</pre>\n"
    if report.compilations:
        lines = "".join(line for one in report.compilations for line in run.lines(one, WIDTH, Painter(True)))
        yield from _folded(count(len(report.compilations), "compilation"), [f"<pre>{painted(lines)}</pre>"])


def _cell(report: RunReport) -> Iterator[str]:
    whole, *others = cell.headline(report)
    yield f"<p><b>{escape(whole)}</b>{escape(''.join(f' · {part}' for part in others))}</p>\n"
    rows = [*map(_compiled, report.compilations), *map(_cached, cell.cached(report))]
    if rows:
        yield from ("<div class=scroll><table>\n", *rows, "</table></div>\n")
    for text in cell.remarks(report):
        yield f"<p class=muted>{escape(text)}</p>\n"


def _compiled(one: Compilation) -> str:
    status = "RAISED" if one.raised else one.status
    where = f"<br><span class=muted>{escape(shown_path(one.at))}</span>" if one.at else ""
    avoidable = "<span class='badge avoidable'>avoidable</span> " if one.avoidable else ""
    hints = "".join(f"<br><span class=muted>{escape(hint)}</span>" for hint in cell.hints(one))
    return (
        f"<tr><td><span class='badge {status}'>{status}</span><td class=time>{seconds(one.spent)}"
        f"<td><code>{escape(one.signature or one.function)}</code>{where}"
        f"<td>{avoidable}{escape(why(one))}{hints}</tr>\n"
    )


def _cached(one: FunctionCost) -> str:
    return (
        "<tr><td><span class='badge CACHED'>CACHED</span><td class=time>"
        f"<td><code>{escape(one.function)}</code><td>{count(one.hits or 0, 'call')}</tr>\n"
    )


def _head(target: Target, environment: Environment | None, with_signature: bool = True) -> Iterator[str]:
    where = f"{shown_path(target.file)}:{target.line}" if target.file else target.module
    parts = [where, *([f"jax {environment.jax}", environment.platform] if environment else [])]
    parts += map(compiled_for, target.devices)
    signature = f"<code>{escape(target.signature)}</code> " if with_signature else ""
    yield f"<p>{signature}<span class=muted>{escape(' · '.join(parts))}</span></p>\n"


def _folded(title: str, body: Iterable[str], alone: bool = False, is_open: bool = False) -> Iterator[str]:
    """`alone` there is nothing to fold."""
    if not alone:
        yield f"<details{' open' if is_open else ''}><summary>{escape(title)}</summary>\n"
    yield from body
    if not alone:
        yield "</details>\n"


def _artifact(artifact: Artifact) -> Iterator[str]:
    if artifact.unavailable is not None:
        yield f"<p>not available: {escape(artifact.unavailable)}</p>\n"
        return
    yield "<pre>"
    yield from highlight(artifact.text, LANGUAGES.get(artifact.stage, artifact.stage), HTML)
    yield "</pre>\n"


def _log(events: tuple[CompileEvent, ...]) -> Iterator[str]:
    """What the reading itself made JAX do; JAX's own eager operations are left to the report."""
    own = [event for event in events if not event.internal]
    if own:
        total = seconds(sum(event.seconds for event in own))
        rows = (
            f"<tr><td>{event.phase}<td class=time>{seconds(event.seconds)}"
            f"<td><code>{escape(event.signature or event.function)}</code>"
            f"<td class=muted>{escape(shown_path(event.source or ''))}</tr>\n"
            for event in own
        )
        yield from _folded(f"compile log, {total}", ["<table>\n", *rows, "</table>\n"])


def painted(text: str) -> str:
    """The text of a terminal as HTML, in its colors."""
    parts, is_open = [], False
    for number, part in enumerate(_PAINTED.split(text)):
        if number % 2 == 0:
            parts.append(escape(part, quote=False))
            continue
        parts.append("</span>" * is_open)
        codes = [code for code in part.split(";") if code.strip("0")]
        is_open = bool(codes)
        if is_open:
            parts.append(f'<span class="{" ".join(f"s{code}" for code in codes)}">')
    return "".join(parts) + "</span>" * is_open
