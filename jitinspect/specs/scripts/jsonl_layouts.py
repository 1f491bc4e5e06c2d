"""Very many lines of a `.jsonl` at once: what they ask for, without reading them as JSON."""

from __future__ import annotations

import json
import re
from itertools import groupby

from jitinspect.specs.caret import not_utf8
from jitinspect.specs.scripts.jsonl import KEYS

_STRING = r'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+"'
_NUMBER = r"-?(?:0|[1-9][0-9]{0,18}+)(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?"
_PLAIN = rf"(?:{_STRING}|{_NUMBER}|true|false|null)"
_NAME = re.compile(r"[\w .-]+", re.ASCII)
Core = str | tuple[str, ...]
"""The part of a line, or its parts, that say which call it asks for."""


class Layout:
    """Lines that have the same keys in the same order, of which those without a meaning have plain values.

    A line with a layout is valid JSON if its `core` is that of a line which was read: the parts of it that
    have a meaning, each of them valid on its own.
    """

    def __init__(self, keys: list[str]) -> None:
        runs = [(known, list(names)) for known, names in groupby(keys, KEYS.__contains__)]
        members = [
            rf'("{names[0]}".*)' if known else ", ?".join(map(_member, names)) for known, names in runs
        ]
        self._keys = [names for known, names in runs if known]
        self._pattern = re.compile(rf"^\{{{', ?'.join(members)}\}}\n", re.MULTILINE)

    def core(self, line: str) -> Core | None:
        """None if the line has another layout, or its parts are not valid on their own."""
        match = self._pattern.fullmatch(line)
        if match is None or [*map(_keys, match.groups())] != self._keys:
            return None
        return self.cores(line)[0] if not_utf8(line) is None else None

    def cores(self, lines: str) -> list[Core]:
        """The core of each line that has the layout, or only looks like it: then no line has this core."""
        return self._pattern.findall(lines) if not_utf8(lines) is None else []


def _member(name: str) -> str:
    return rf'"{re.escape(name)}": ?{_PLAIN}'


def layout_of(line: str) -> Layout | None:
    """That of a valid line; None where it has none."""
    keys = _keys(line.rstrip()[1:-1])
    if keys is None or len({*keys}) < len(keys) or "fn" not in keys:
        return None
    return Layout(keys) if all(map(_NAME.fullmatch, keys)) else None


def _keys(members: str) -> list[str] | None:
    """The keys of an object, without its braces."""
    try:
        pairs = json.loads(f"{{{members}}}", object_pairs_hook=lambda pairs: pairs)
    except (ValueError, RecursionError):
        return None
    return [name for name, _ in pairs]
