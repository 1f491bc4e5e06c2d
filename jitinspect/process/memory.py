"""What this process occupies."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress

_STATM = "/proc/self/statm"


def resident_bytes() -> int:
    """Bytes of memory; 0 where the system does not say (it is not Linux)."""
    try:
        with open(_STATM, "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def give_back() -> None:
    """Give the system what is free in the C library's memory, if that is glibc, which keeps it.

    When XLA has compiled a large program, that is a third of what it took, in pieces of which Python, which
    asks the system for its own memory, uses none. It takes 20 ms.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
