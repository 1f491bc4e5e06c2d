"""What a program compiled, as annotations on the lines of a pull request on GitHub.

Workflow commands as GitHub documents them: `::warning file=…,line=…,title=…::message`.
"""

from __future__ import annotations

from collections.abc import Iterator

from jitinspect.model.runs import RunReport, Site
from jitinspect.render.text import seconds, shown_path


def annotated(report: RunReport) -> Iterator[str]:
    """An error for each limit exceeded, a warning for each line with avoidable compilations."""
    for check in report.checks:
        if not check.held:
            yield _command("error", check.at, check.limit, "\n".join(check.why))
    for site in report.sites:
        if avoidable := [cause for cause in site.causes if cause.avoidable]:
            number = sum(cause.count for cause in avoidable)
            spent = seconds(sum(cause.seconds for cause in avoidable))
            title = f"{number} of {site.compilations} compilations of {site.function} avoidable, {spent}"
            yield _command("warning", site.at, title, _causes(site))


def _causes(site: Site) -> str:
    lines = [f"{cause.count} × {cause.text}" for cause in site.causes if cause.avoidable]
    hints = dict.fromkeys(cause.hint for cause in site.causes if cause.avoidable and cause.hint)
    return "\n".join([*lines, *(f"hint: {hint}" for hint in hints)])


def _command(level: str, at: str | None, title: str, message: str) -> str:
    file, _, line = (shown_path(at) if at else "").rpartition(":")
    place = f"file={_property(file)},line={line}," if file else ""
    return f"::{level} {place}title={_property(title)}::{_data(message)}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
