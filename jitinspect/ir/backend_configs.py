"""The JSON in `backend_config={…}` of HLO instructions.

`Compiled.as_text()` prints it with sorted keys, a module that was read from a proto in the order in which it
was written (jaxlib 0.10.2 and 0.12.0.1). Strings and numbers are kept as they are written.
"""

from __future__ import annotations

import re

_START = ", backend_config={"
_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+)')
_DEEPEST = 100


def with_sorted_keys(text: str) -> str:
    """`text` with all such JSON sorted; what is not JSON stays as it is."""
    parts: list[str] = []
    at = 0
    while (found := text.find(_START, at)) >= 0:
        begin = found + len(_START) - 1
        try:
            made, end = _value(text, begin, 0)
        except ValueError:
            made, end = "{", begin + 1
        parts += (text[at:begin], made)
        at = end
    return "".join((*parts, text[at:]))


def _value(text: str, at: int, depth: int) -> tuple[str, int]:
    """The value that begins there, sorted, and where it ends. Raises `ValueError` if there is none."""
    token, at = _token(text, at)
    if depth > _DEEPEST or token in ("}", "]", ",", ":"):
        raise ValueError
    if token == "{":
        return _items(text, at, depth, "}")
    return _items(text, at, depth, "]") if token == "[" else (token, at)


def _items(text: str, at: int, depth: int, closing: str) -> tuple[str, int]:
    """The members of an object, or the elements of an array, up to the bracket that closes it."""
    items: list[str] = []
    token, after = _token(text, at)
    while token != closing:
        item, at = _value(text, at, depth + 1)
        if closing == "}":
            colon, at = _token(text, at)
            if not item.startswith('"') or colon != ":":  # MLIR's: {order = "TOTAL"}
                raise ValueError
            value, at = _value(text, at, depth + 1)
            item = f"{item}{colon}{value}"
        items.append(item)
        token, after = _token(text, at)
        if token == ",":
            at = after
        elif token != closing:
            raise ValueError
    joined = ",".join(sorted(items) if closing == "}" else items)
    return (f"{{{joined}}}" if closing == "}" else f"[{joined}]"), after


def _token(text: str, at: int) -> tuple[str, int]:
    found = _TOKEN.match(text, at)
    if found is None:
        raise ValueError
    return found[1], found.end()
