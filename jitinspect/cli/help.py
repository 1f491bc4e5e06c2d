"""`--help`: options and commands under the headings that they were given.

Typer's own Rich help imports Markdown, Pygments and more to print plain text; this is Typer's plain help,
wrapped by click's formatter, with headings and colours.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import Any, Protocol

from typer.core import TyperCommand, TyperGroup

from jitinspect.cli.streams import wants_color
from jitinspect.cli.values import spare_conversions

WIDTH = 100
"""Columns at most: longer lines of help are hard to read."""
NAMES = 29
"""Columns for names at most; a longer name has its help on the next line, as click does it above 30."""
FIRST = ("Arguments", "Options")

Record = tuple[str, str]
"""What an option or a command is called, and what it does."""


class Formatter(Protocol):
    """click's `HelpFormatter`, which lives in different modules in typer 0.20 and 0.29."""

    width: int

    def section(self, name: str) -> Any: ...
    def write_dl(self, rows: Any) -> None: ...


class Command(TyperCommand):
    """A command whose help has a heading for each group of options."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        spare_conversions(self.get_params(ctx))
        return super().parse_args(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        _write_sections(ctx, formatter, _parameters(self, ctx))


class Group(TyperGroup):
    """Commands whose help has a heading for each group of them."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        spare_conversions(self.get_params(ctx))
        return super().parse_args(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        commands = [self.commands[name] for name in self.list_commands(ctx)]
        records = [
            (_heading(one, "Commands"), (str(one.name), _first_paragraph(one.help))) for one in commands
        ]
        _write_sections(ctx, formatter, records)
        _write_sections(ctx, formatter, _parameters(self, ctx))


def _parameters(command: TyperCommand | TyperGroup, ctx: Any) -> list[tuple[str, Record]]:
    """Heading and record of each: arguments, options without a heading of their own, then the others."""
    found = []
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        if record is not None:
            is_argument = parameter.param_type_name == "argument"
            found.append((_heading(parameter, FIRST[not is_argument]), _plain(record)))
    return sorted(found, key=lambda one: FIRST.index(one[0]) if one[0] in FIRST else len(FIRST))


def _heading(named: Any, default: str) -> str:
    """What Typer's `rich_help_panel` asked for."""
    given = getattr(named, "rich_help_panel", None)
    return given if isinstance(given, str) else default


def _plain(record: Record) -> Record:
    """Typer 0.29 adds the type of an argument, `REPORT <path>`, which its name says already; 0.20 escapes
    brackets for Rich.
    """
    return re.sub(r" <\w+>$", "", record[0]), record[1].replace("\\[", "[")


def _first_paragraph(help_text: str | None) -> str:
    return " ".join((help_text or "").split("\n\n")[0].split())


def _write_sections(ctx: Any, formatter: Formatter, records: Iterable[tuple[str, Record]]) -> None:
    """The sections of `records`; names are padded to one column, unless the terminal is too narrow for it."""
    color = ctx.color = wants_color("auto", sys.stdout)  # else click would strip the colours again
    listed = list(records)
    longest = max((len(name) for _, (name, _) in listed), default=0)
    column = min(longest, NAMES) if formatter.width >= 2 * NAMES else 0
    sections: dict[str, list[Record]] = {}
    for heading, (name, help_text) in listed:
        padded = _painted(name, "36", color) + " " * (column - len(name))
        sections.setdefault(heading, []).append((padded, help_text))
    for heading, rows in sections.items():
        with formatter.section(_painted(heading, "1", color)):
            formatter.write_dl(rows)


def _painted(text: str, style: str, color: bool) -> str:
    return f"\033[{style}m{text}\033[0m" if color else text
