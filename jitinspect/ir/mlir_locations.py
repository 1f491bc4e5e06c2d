"""The `#loc` lines of MLIR text → the Python lines of a location."""

from __future__ import annotations

import re
from collections.abc import Iterable

from jitinspect.ir.program import Frame

_ALIAS = re.compile(r"(#loc\d*) = loc\((.*)\)$")
_FILE = re.compile(r'"((?:[^"\\]|\\.)*)":(\d+):')
_NAME = re.compile(r'"((?:[^"\\]|\\.)*)"')
_LONGEST = 1000
"""The most frames of one location: aliases that refer to each other would never end."""


class Locations:
    """`locations[text]` is the stack, innermost first, of `loc(text)`.

    A name around a file and line is that of the function; one around a call site is the operation's own. Of
    a fused location, the first one with frames is taken.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._aliases = {match[1]: match[2] for match in map(_ALIAS.match, lines) if match}
        self._known: dict[str, tuple[Frame, ...]] = {}

    def __getitem__(self, text: str) -> tuple[Frame, ...]:
        if text not in self._known:
            self._known[text] = ()  # in case it refers to itself
            self._known[text] = self._read(text)[:_LONGEST]
        return self._known[text]

    def name(self, text: str) -> str:
        """An operation's own name, `jit(f)/while/body/tanh`; "" if it has none."""
        text = self._aliases.get(text, text)
        match = _NAME.match(text)
        child = text[match.end() + 1 : -1] if match else ""
        if match is None or _FILE.match(text) or _FILE.match(self._aliases.get(child, child)):
            return ""
        return match[1]

    def _read(self, text: str) -> tuple[Frame, ...]:
        if text.startswith("#"):
            return self[self._aliases[text]] if text in self._aliases else ()
        if text.startswith("callsite("):
            callee, _, caller = text[len("callsite(") : -1].rpartition(" at ")
            return self[callee] + self[caller]
        if text.startswith("fused"):
            return next((found for part in _parts(text) if (found := self[part])), ())
        if match := _FILE.match(text):
            return (Frame(match[1], int(match[2]), ""),)
        return self._named(text)

    def _named(self, text: str) -> tuple[Frame, ...]:
        """`"layer"(#loc5)`."""
        match = _NAME.match(text)
        if match is None or not text.endswith(")"):
            return ()
        child = text[match.end() + 1 : -1]
        frames = self[child]
        if len(frames) == 1 and not frames[0].function:
            return (frames[0]._replace(function=match[1]),)
        return frames


def _parts(text: str) -> list[str]:
    """`fused<…>[#loc1, #loc2]`."""
    return [part.strip() for part in text.rpartition("[")[2].rstrip("]").split(",")]
