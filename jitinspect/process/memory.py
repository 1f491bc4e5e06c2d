"""What this process occupies."""

from __future__ import annotations

import os

_STATM = "/proc/self/statm"


def resident_bytes() -> int:
    """Bytes of memory; 0 where the system does not say (it is not Linux)."""
    try:
        with open(_STATM, "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
