"""HLO text without what a reader rarely wants.

Pure text → text, so that saved reports can be read the same way. The input is that of
`Compiled.as_text()` and `Lowered.as_text("hlo")`, jax 0.10.2 and 0.12.0.1.
"""

from __future__ import annotations

import re

_STRING = r'"(?:[^"\\]|\\.)*"'
_METADATA = re.compile(rf', metadata=\{{(?:[^{{}}"]|{_STRING}|\{{[^{{}}]*\}})*\}}')
_LAYOUT = re.compile(r"\[([\d,<=?]*)\]\{([\d,]+)\}")
_TABLES = ("FileNames", "FunctionNames", "FileLocations", "StackFrames")


def readable(text: str) -> str:
    """`text` without `metadata`, default layouts, and the file and stack tables."""
    kept = without_metadata(text)
    return _LAYOUT.sub(_Layouts(), kept).rstrip("\n") + "\n"


def without_metadata(text: str) -> str:
    """`text` without `metadata`, and the file and stack tables."""
    kept = _without_tables(text)
    return _METADATA.sub("", kept) if "metadata={" in kept else kept


def _without_tables(text: str) -> str:
    """Drop the tables: each is a line with its name, rows, and an empty line; they come before the code."""
    start = min((found for table in _TABLES if (found := text.find(f"\n{table}\n")) >= 0), default=-1)
    if start < 0:
        return text
    blocks = text[start + 1 :].split("\n\n")
    code = [block for block in blocks if block.strip("\n").split("\n")[0] not in _TABLES]
    return text[: start + 1] + "\n\n".join(code).lstrip("\n")


class _Layouts:
    """Replaces `[2,3]{1,0}` with `[2,3]` if the layout is the default, row-major one.

    The same few layouts recur thousands of times, so results are cached.
    """

    def __init__(self) -> None:
        self._cache: dict[str, str] = {}

    def __call__(self, match: re.Match[str]) -> str:
        text = match.group()
        if text not in self._cache:
            self._cache[text] = f"[{match[1]}]" if _is_default(match[1], match[2]) else text
        return self._cache[text]


def _is_default(shape: str, layout: str) -> bool:
    rank = shape.count(",") + 1
    return layout == ",".join(map(str, reversed(range(rank))))
