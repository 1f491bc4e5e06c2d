"""The error that points at a column of a text."""

from __future__ import annotations

import re

from jitinspect.errors import LoadError, UsageError

_BYTE = re.compile("[\udc80-\udcff]")
WINDOW = 76
"""How many columns of a long text are shown around the caret."""


class Problem(UsageError):
    """The `complaint` about a text that does not parse, with a caret under `column`.

    Columns are characters, from 0 here and from 1 in the message. A caller that knows where the
    text comes from (a line of a file) rebuilds the error from its parts, with `at`.
    """

    def __init__(self, text: str, column: int, complaint: str, hint: str | None, at: str | None) -> None:
        line, caret = _window("".join(char if char.isprintable() else " " for char in text), column)
        place = f"{at}: " if at else ""
        message = f"{place}{complaint}, at column {column + 1}"
        super().__init__(message, hint=hint, detail=f"  {line}\n  {' ' * caret}^")
        self.column = column
        self.complaint = complaint
        self._given = (text, column, complaint, hint, at)

    def __reduce__(self) -> tuple[type[Problem], tuple[object, ...]]:
        """To be handed over by a worker, it is made again: it does not take a message alone."""
        return type(self), self._given


class UnknownName(Problem):
    """A text that parses, but names something that does not exist. Exits as for a missing target."""

    kind = LoadError.kind
    exit_code = LoadError.exit_code


def problem(text: str, column: int, message: str, hint: str | None = None, at: str | None = None) -> Problem:
    """The error that shows `text` with a caret under `column`; `at` is its file and line, if any."""
    return Problem(text, column, message, hint, at)


def not_utf8(line: str) -> int | None:
    """The column of the first byte that is not UTF-8 (it was read as a `surrogateescape`), or None."""
    found = None if line.isascii() else _BYTE.search(line)
    return found.start() if found else None


def refuse_bytes(line: str) -> None:
    """Raise `Problem` if `not_utf8` finds a byte."""
    column = not_utf8(line)
    if column is not None:
        byte = ord(line[column]) - 0xDC00
        raise problem(line, column, f"the byte 0x{byte:02x} is not UTF-8", "write the file as UTF-8")


def _window(line: str, column: int) -> tuple[str, int]:
    if len(line) <= WINDOW:
        return line, column
    start = max(0, min(column - WINDOW // 2, len(line) - WINDOW))
    end = start + WINDOW
    left, right = "…" if start else "", "…" if end < len(line) else ""
    return left + line[start + len(left) : end - len(right)] + right, column - start
