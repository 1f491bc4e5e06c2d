"""HLO text without what a reader rarely wants.

Pure text → text, so that saved reports can be read the same way. The input is that of
`Compiled.as_text()` and `Lowered.as_text("hlo")`, jax 0.10.2 and 0.12.0.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from typing import overload

_STRING = r'"(?:[^"\\]|\\.)*"'
_METADATA = re.compile(rf', metadata=\{{(?:[^{{}}"]|{_STRING}|\{{[^{{}}]*\}})*\}}')
_OP_NAME = re.compile(r'op_name="[^"\\]*(?:\\.[^"\\]*)*" ?')
_LAYOUT = re.compile(r"\[([\d,<=?]*)\]\{([\d,]+)\}")
_TABLES = ("FileNames", "FunctionNames", "FileLocations", "StackFrames")
_TABLE = re.compile(rf"\n*(?:{'|'.join(_TABLES)})\n(?:[^\n]+\n)*(?:\n|\Z)")


def readable(text: str) -> str:
    """`text` without `metadata`, default layouts, and the file and stack tables."""
    return readable_part(without_tables(text)).rstrip("\n") + "\n"


def readable_part(text: str) -> str:
    """The same of lines below the tables, or of a part of a line."""
    if "metadata={" in text:
        text = _METADATA.sub("", text)
    return _LAYOUT.sub(_without_default, text) if "]{" in text else text


def without_metadata(text: str) -> str:
    """`text` without `metadata`, and the file and stack tables."""
    kept = without_tables(text)
    return _METADATA.sub("", kept) if "metadata={" in kept else kept


def without_op_names(text: str) -> str:
    """`text` without what JAX calls its instructions: a good part of it, which differs where all else is the
    same.
    """
    return _OP_NAME.sub("", text) if 'op_name="' in text else text


def without_tables(text: str) -> str:
    """Drop the tables: each is a line with its name, rows, and an empty line; they come before the code."""
    start = min((found for table in _TABLES if (found := text.find(f"\n{table}\n")) >= 0), default=-1)
    if start < 0:
        return text
    code = start + 1
    while table := _TABLE.match(text, code):
        code = table.end()
    return text[: start + 1] + text[code:].lstrip("\n")


class Lines(Sequence[str]):
    """The lines of a readable text, each made where it is asked for; `text` has no tables."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _rows(self) -> list[str]:
        return self._text.split("\n")

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            return list(map(readable_part, self._rows[at]))
        return readable_part(self._rows[at])

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[str]:
        return iter(readable_part(self._text).split("\n"))


def _without_default(match: re.Match[str]) -> str:
    """`[2,3]` for `[2,3]{1,0}`, whose layout is the default, row-major one."""
    return _without_default_layout(match[0], match[1], match[2])


@lru_cache(maxsize=4096)
def _without_default_layout(text: str, shape: str, layout: str) -> str:
    """The same few recur thousands of times."""
    return f"[{shape}]" if _is_default(shape, layout) else text


def _is_default(shape: str, layout: str) -> bool:
    rank = shape.count(",") + 1
    return layout == ",".join(map(str, reversed(range(rank))))
