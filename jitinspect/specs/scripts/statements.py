"""The lines of a `.calls` script → statements: a line, or several while a bracket is open."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from jitinspect.specs.caret import Problem, problem, refuse_bytes
from jitinspect.specs.scan import QUOTED, TRIPLE_QUOTED

_TOKEN = re.compile(
    rf"""(?P<string>{TRIPLE_QUOTED})|(?P<triple>'''|\"\"\")|(?P<quoted>{QUOTED})|(?P<quote>['"])"""
    r"""|(?P<comment>\#[^\n]*)|(?P<open>[(\[{])|(?P<close>[)\]}])""",
    re.DOTALL,
)
_CLOSE = {"(": ")", "[": "]", "{": "}"}
_NOTHING = re.compile(r"\s*(?:#|\Z)")
_BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Statement:
    """The physical lines of one statement, and the number of the first of them (from 1)."""

    path: str
    line: int
    text: str

    @property
    def at(self) -> str:
        return f"{self.path}:{self.line}"

    @property
    def indent(self) -> str:
        return self.text[: len(self.text) - len(self.text.lstrip())]

    def located(self, error: Problem) -> Problem:
        """An error in `text`, shown in the physical line that it is in."""
        row = self.text.count("\n", 0, error.column)
        column = error.column - (self.text.rfind("\n", 0, error.column) + 1)
        place = f"{self.path}:{self.line + row}"
        return type(error)(self.text.split("\n")[row], column, error.complaint, error.hint, place)


def statements(lines: Iterable[str], path: str) -> Iterator[Statement]:
    """The statements, without blank lines and comments, each as soon as its last line is read.

    Raises `UsageError` if the lines end within a bracket or a string.
    """
    numbered = enumerate(map(_without_ending, lines), 1)
    for number, first in numbered:
        text = first.removeprefix(_BYTE_ORDER_MARK) if number == 1 else first
        _refuse_bytes(path, number, text)
        if _NOTHING.match(text):
            continue
        statement = _UnfinishedStatement()
        statement.add(text)
        while statement.unfinished:
            line, following = next(numbered, (0, None))
            if following is None:
                raise Statement(path, number, statement.text).located(statement.complaint())
            _refuse_bytes(path, line, following)
            statement.add(following)
        yield Statement(path, number, statement.text)


def _refuse_bytes(path: str, number: int, line: str) -> None:
    try:
        refuse_bytes(line)
    except Problem as error:
        raise Statement(path, number, line).located(error) from None


def _without_ending(line: str) -> str:
    return line.rstrip("\r\n")


@dataclass(slots=True)
class _UnfinishedStatement:
    """A statement whose lines are still coming in; what is open in it, by column of the whole text."""

    _lines: list[str] = field(default_factory=list)
    _length: int = 0
    _brackets: list[tuple[int, str]] = field(default_factory=list)
    _quote: tuple[int, str] | None = None
    _broken: bool = False

    @property
    def text(self) -> str:
        return "\n".join(self._lines)

    @property
    def unfinished(self) -> bool:
        return not self._broken and bool(self._quote or self._brackets)

    def add(self, line: str) -> None:
        position = self._past_open_quote(line)
        while not self._broken and not self._quote and (match := _TOKEN.search(line, position)):
            self._take(match)
            position = match.end()
        self._lines.append(line)
        self._length += len(line) + 1

    def _past_open_quote(self, line: str) -> int:
        """Where the open string ends in this line; 0 if none is open."""
        if self._quote is None:
            return 0
        if end := re.match(rf"(?:[^\\]|\\.)*?{self._quote[1]}", line):
            self._quote = None
            return end.end()
        return len(line)

    def _take(self, match: re.Match[str]) -> None:
        """A mistake that no further line can fix ends the statement; the grammar then rejects it."""
        column = self._length + match.start()
        match match.lastgroup:
            case "open":
                self._brackets.append((column, match[0]))
            case "close":
                self._broken = not self._brackets or _CLOSE[self._brackets.pop()[1]] != match[0]
            case "triple":
                self._quote = column, match[0]
            case "quote":
                self._broken = True

    def complaint(self) -> Problem:
        """The error for a statement that never ends."""
        if self._quote:
            column, quote = self._quote
            return problem(self.text, column, "this string is never closed", f"add {quote}")
        column, bracket = self._brackets[-1]
        return problem(self.text, column, f"this {bracket!r} is never closed", f"add {_CLOSE[bracket]!r}")
