"""The column of a value in a line of JSON, which `json` does not report; only needed for errors."""

from __future__ import annotations

import json
import re

Path = tuple[str | int, ...]
"""Keys and indices, from the outside in: ("args", 0, "w")."""

_DECODER = json.JSONDecoder()
_BLANKS = re.compile(r"[ \t\n\r]*")


def column_of(line: str, path: Path) -> int:
    """The column at which the value at `path` begins; `line` is JSON, and has it."""
    column = _skip_blanks(line, 0)
    for step in path:
        column = _children(line, column)[step]
    return column


def column_within(line: str, path: Path, text: str, column: int) -> int:
    """The column of `text[column]`, where `text` is the string at `path`.

    If the string has escapes in the JSON, the column of its opening quote.
    """
    start = column_of(line, path)
    return start + 1 + column if line.startswith(f'"{text}"', start) else start


def _children(line: str, column: int) -> dict[str | int, int]:
    """The columns of the values in the object or array at `column`; a repeated key's last, as in `json`."""
    found: dict[str | int, int] = {}
    is_object = line[column] == "{"
    column = _skip_blanks(line, column + 1)
    while line[column] not in "]}":
        key: str | int = len(found)
        if is_object:
            key, column = _DECODER.raw_decode(line, column)
            column = _skip_blanks(line, _skip_blanks(line, column) + 1)
        found[key] = column
        _, column = _DECODER.raw_decode(line, column)
        column = _skip_blanks(line, column)
        if line[column] == ",":
            column = _skip_blanks(line, column + 1)
    return found


def _skip_blanks(line: str, column: int) -> int:
    blanks = _BLANKS.match(line, column)
    return blanks.end() if blanks else column
