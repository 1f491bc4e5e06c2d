"""Lines of code objects."""

from __future__ import annotations

from functools import lru_cache
from types import CodeType


@lru_cache(maxsize=65536)
def line_at(code: CodeType, instruction: int) -> int | None:
    """The line of one instruction (a byte offset, as `f_lasti`).

    Equal code objects have equal lines, but may be of different files: `==` does not look at these.
    """
    lines = (line for start, end, line in code.co_lines() if start <= instruction < end)
    return next(lines, None)
