"""Where the computations of an HLO text are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from jitinspect.ir.program import Block

HEAD = re.compile(r"\n(?!HloModule)(ENTRY )?%?([^\s(]+)(?: \(| *(?=\{))[^\n]*\{(?=\n|\Z)")
"""The first line of a computation."""


def blocks(text: str) -> Iterator[Block]:
    """Without parameters and instructions."""
    for one in spans(text):
        yield Block(parameters=(), operations=[], **one.places)


class Span(NamedTuple):
    """A block in a text: where it begins, where its first instruction does, and where its last line does."""

    begin: int
    first: int
    end: int
    places: dict[str, Any]


def spans(text: str) -> Iterator[Span]:
    line, counted, at = 0, 0, 0
    while head := HEAD.search(text, at):
        begin, end = head.start() + 1, text.find("\n}", head.end())
        if end < 0:
            return
        line += text.count("\n", counted, begin)
        yield span(text, head, end, line)
        line, counted, at = line + text.count("\n", begin, end + 1), end + 1, end


def span(text: str, head: re.Match[str], end: int, line: int) -> Span:
    """`line` is the number of its first one."""
    begin = head.start() + 1
    last = line + text.count("\n", begin, end + 1)
    root = text.rfind("\n  ROOT ", begin, end)
    places = {
        "name": head[2],
        "start": line,
        "end": last + 1,
        "is_entry": head[1] is not None,
        "root": last - 1 - text.count("\n", root + 1, end) if root >= 0 else None,
    }
    return Span(begin, head.end() + 1, end, places)
