"""What XLA for TPUs says when a program does not fit, read for its figures.

There are two forms (libtpu 0.0.42.1 and 0.0.50.1). Before it makes machine code, of all buffers: "Ran out of
memory on HBM, the total memory required for HLO temporaries (17.00G) exceeds available HBM (15.75G)". After
it, with the code and what the runtime keeps: "Ran out of memory in memory space hbm. Used 15.75G of 15.75G
hbm. Exceeded hbm capacity by 3.0K".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_FIGURE = r"([\d.]+)([KMGT]?)"
_EARLY = re.compile(rf"Ran out of memory on (\w+), .*?\({_FIGURE}\) exceeds available \w+ \({_FIGURE}\)")
_LATE = re.compile(rf"Ran out of memory in memory space (\w+)\. Used {_FIGURE}B? of {_FIGURE}B? ")
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


@dataclass(frozen=True, slots=True)
class Overflow:
    """The memory that is too small, `HBM` or `VMEM`, and the bytes needed and there, rounded by XLA."""

    memory: str
    needed: int
    limit: int


def parse(message: str) -> Overflow | None:
    """None for a message in neither form."""
    found = _EARLY.search(message) or _LATE.search(message)
    if found is None:
        return None
    memory, *figures = found.groups()
    return Overflow(memory.upper(), _bytes(*figures[:2]), _bytes(*figures[2:]))


def _bytes(number: str, unit: str) -> int:
    return round(float(number) * _UNITS[unit])
