"""Sizes as typed."""

from __future__ import annotations

import re

from jitinspect.errors import UsageError

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kMGT]?)(i?)B?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def bytes_of(option: str, text: str) -> int:
    """`10MB` or `1.5GiB` in bytes. Raises `UsageError`, with the option that it was given to, for others."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{text!r} is no size", hint=f"{option} 10MB, 1.5GiB, or a number of bytes")
    number, power, is_binary = found.groups()
    return int(float(number) * (1024 if is_binary else 1000) ** _POWERS[power.lower()])
