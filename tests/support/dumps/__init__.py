"""What XLA's compilers for TPU and CUDA wrote of small functions, for tests without these compilers.

`record.py` makes the records again; each is named after the function, the device and JAX's version.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
VERSIONS = ("0.10.2", "0.12.0.1")


@dataclass(frozen=True)
class Texts:
    """The texts that a compiler process hands over; each may be empty."""

    hlo: str
    buffer_assignment: str
    live_ranges: str


@dataclass(frozen=True)
class Recorded:
    """`memory` is what `memory_analysis()` said after the full compile; None where the compiler `refused`."""

    texts: Texts
    memory: dict[str, int] | None
    refused: str | None


def names() -> list[str]:
    """All that are recorded: `step-v5e-0.10.2`."""
    return sorted(path.name.removesuffix(".json.gz") for path in FOLDER.glob("*.json.gz"))


def recorded(name: str) -> Recorded:
    document: dict[str, Any] = json.loads(gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes()))
    return Recorded(Texts(**document["texts"]), document["memory"], document["refused"])
