"""Text → Python that `ast` can parse: each array and each string becomes a name of the same length.

So columns stay right, a bracket inside a string does not count, and mistakes that Python would
report in its own words (an open bracket, an open quote) are reported in ours.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass, field

from jitinspect.specs.arrays import HEAD, read_array
from jitinspect.specs.caret import problem
from jitinspect.specs.spec_types import Leaf, ValueSpec

MAX_DEPTH = 100
"""How deep brackets may be nested; Python's own parser stops at 200."""

TRIPLE_QUOTED = r"""'''(?:[^\\]|\\.)*?'''|\"""(?:[^\\]|\\.)*?\""\""""
QUOTED = r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\""""

_TOKEN = re.compile(
    rf"""(?P<string>\w*(?:{TRIPLE_QUOTED}|{QUOTED}))"""
    rf"""|(?P<comment>\#[^\n]*)|(?P<array>{HEAD})|(?P<word>\w+)"""
    r"""|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<quote>['"])|(?P<at>@)""",
    re.DOTALL,
)
_AFTER = re.compile(r"\s*(?:\Z|[,)\]}:#])")
_CLOSE = {"(": ")", "[": "]", "{": "}"}


@dataclass(slots=True)
class Scan:
    """What has been read of `text`; `leaves` are keyed by column."""

    text: str
    pieces: list[str] = field(default_factory=list)
    leaves: dict[int, Leaf] = field(default_factory=dict)
    _open: list[int] = field(default_factory=list)

    @property
    def code(self) -> str:
        """As long as `text`, without line breaks."""
        return "".join(self.pieces)

    def token(self, match: re.Match[str]) -> int:
        """Take in one token (for an array, all that belongs to it) and return where it ends."""
        kind, start = match.lastgroup, match.start()
        if kind == "string":
            return self._leaf(start, ValueSpec(_string(self.text, match)), match.end())
        if kind == "array":
            return self._leaf(start, *read_array(self.text, start))
        if kind == "quote":
            raise problem(self.text, start, "this quote is never closed", f"add {match[0]}")
        if kind == "at":
            raise problem(self.text, start, "only an array or a key has a placement", "f32[128,784]@cpu:0")
        if kind == "open":
            self._push(start)
        if kind == "close":
            self._pop(start)
        self.pieces.append(" " * len(match[0]) if kind == "comment" else match[0])
        return match.end()

    def _leaf(self, start: int, leaf: Leaf, end: int) -> int:
        if self.text[start - 1 : start] == ".":
            raise problem(self.text, start - 1, "names are not looked up", self.text[start:end])
        after = _AFTER.match(self.text, end)
        if after is None:
            column = end + len(self.text[end:]) - len(self.text[end:].lstrip())
            missing = "a comma or a colon" if self._in_braces() else "a comma"
            quoted = column == end and self.text[end - 1] in "'\"" and self.text[end].isalnum()
            hint = "inside '…' write \\', or use \"…\" around it" if quoted else "put one before it"
            raise problem(self.text, column, f"{missing} is missing", hint)
        self.leaves[start] = leaf
        self.pieces.append("_" * (end - start))
        return end

    def _in_braces(self) -> bool:
        return bool(self._open) and self.text[self._open[-1]] == "{"

    def _push(self, column: int) -> None:
        self._open.append(column)
        if len(self._open) > MAX_DEPTH:
            raise problem(self.text, column, f"nested more than {MAX_DEPTH} deep")

    def _pop(self, column: int) -> None:
        closer = self.text[column]
        if not self._open:
            raise problem(self.text, column, f"this {closer!r} closes nothing", "delete it, or open it")
        opener = self.text[self._open.pop()]
        if _CLOSE[opener] != closer:
            hint = f"write {_CLOSE[opener]!r}"
            raise problem(self.text, column, f"this {closer!r} does not close {opener!r}", hint)

    def finish(self) -> None:
        """Raise `UsageError` for a bracket that is still open."""
        if self._open:
            column = self._open[-1]
            opener = self.text[column]
            raise problem(self.text, column, f"this {opener!r} is never closed", f"add {_CLOSE[opener]!r}")


def scan(text: str, start: int = 0) -> Scan:
    """The scan of `text[start:]`. Raises `UsageError` for a malformed array, string or bracket."""
    result, position = Scan(text, [" " * start]), start
    while match := _TOKEN.search(text, position):
        result.pieces.append(_blanks(text[position : match.start()]))
        position = result.token(match)
    result.pieces.append(_blanks(text[position:]))
    result.finish()
    return result


def _blanks(text: str) -> str:
    return re.sub(r"\s", " ", text)


def _string(text: str, match: re.Match[str]) -> object:
    """The value of a string literal; `ast` reads its escapes."""
    prefix = re.split("['\"]", match[0], maxsplit=1)[0].lower()
    if prefix in ("f", "rf", "fr"):
        raise problem(text, match.start(), "an f-string is not evaluated", match[0][len(prefix) :])
    if prefix not in ("", "r", "u", "b", "rb", "br"):
        raise problem(
            text, match.start() + len(prefix), "a string cannot begin here", "put a comma before it"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # '\d' is read as Python reads it, but without a warning
            return ast.literal_eval(match[0])
    except (SyntaxError, ValueError) as error:
        message = f"this string does not parse ({error})"
        raise problem(text, match.start(), message, r"write \\ for a backslash") from None
