"""Where a value stands in a line of JSON, which `json` does not tell: found anew, for errors alone."""

from __future__ import annotations

import json
import re

Path = tuple[str | int, ...]
"""Keys and indices, from the outside in: ("args", 0, "w")."""

_DECODER = json.JSONDecoder()
_BLANKS = re.compile(r"[ \t\n\r]*")


def place_of(line: str, path: Path) -> int:
    """The column at which the value at `path` begins; `line` is JSON, and has it."""
    column = _behind_blanks(line, 0)
    for step in path:
        column = _children(line, column)[step]
    return column


def place_within(line: str, path: Path, text: str, column: int) -> int:
    """The column of `text[column]`, where `text` is the string at `path`.

    That of its quote where the JSON has escapes in it.
    """
    start = place_of(line, path)
    return start + 1 + column if line.startswith(f'"{text}"', start) else start


def _children(line: str, column: int) -> dict[str | int, int]:
    """Where the values of the object or array at `column` begin; of a repeated key the last, as in `json`."""
    found: dict[str | int, int] = {}
    is_object = line[column] == "{"
    column = _behind_blanks(line, column + 1)
    while line[column] not in "]}":
        key: str | int = len(found)
        if is_object:
            key, column = _DECODER.raw_decode(line, column)
            column = _behind_blanks(line, _behind_blanks(line, column) + 1)
        found[key] = column
        _, column = _DECODER.raw_decode(line, column)
        column = _behind_blanks(line, column)
        if line[column] == ",":
            column = _behind_blanks(line, column + 1)
    return found


def _behind_blanks(line: str, column: int) -> int:
    blanks = _BLANKS.match(line, column)
    return blanks.end() if blanks else column
