"""What is said of an entry of the cache, in few words."""

from __future__ import annotations

import re

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_KEY = re.compile("(?<=-[0-9a-f]{8})[0-9a-f]{56}-cache$")


def compiled(seconds: int | None) -> str:
    if seconds is None:
        return "?"
    return "< 1 s" if seconds == 0 else f"{seconds:,} s"


def ago(seconds: float | None) -> str:
    if seconds is None:
        return "?"
    length, unit = next(((length, unit) for length, unit in _UNITS if seconds >= length), (1, ""))
    return f"{seconds / length:.0f} {unit}" if unit else "now"


def short(file: str) -> str:
    """`jit_step-2a740b07…`: enough to find the file."""
    return _KEY.sub("…", file)
