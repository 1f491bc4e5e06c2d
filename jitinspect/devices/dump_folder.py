"""What XLA's TPU and CUDA compilers dump, and when of it there is enough.

With `xla_dump_to` libtpu writes `….after_optimizations.txt`, `…-buffer-assignment.txt` and
`…-live-range.txt` a moment before it compares the memory that these need with the device's, and
`….after_optimizations_after_buffer_assignment.txt` after that; its backend, which takes 10 to 100 times as
long, comes next. Seen with libtpu 0.0.42.1 and 0.0.50.1. For CUDA, the first three begin with
`…gpu_after_optimizations`; memory is not compared. Seen with jax-cuda12-plugin 0.10.2 and 0.12.0.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jitinspect.devices.quiet import FULL_DISK
from jitinspect.errors import UnavailableError
from jitinspect.ir import peak_memory
from jitinspect.ir.buffer_assignment import parse
from jitinspect.jaxapi.executables.absent import Outcome
from jitinspect.jaxapi.executables.memory import TEXTS

_FITS = "after_optimizations_after_buffer_assignment.txt"
_HLO = "after_optimizations.txt"
_ASSIGNMENT = "after_optimizations-buffer-assignment.txt"
_LIVE_RANGES = "after_optimizations-live-range.txt"


@dataclass(frozen=True, slots=True)
class DumpTexts:
    """The optimized, scheduled module, its buffers, and from when to when each is in use; empty where the
    compiler did not get that far.
    """

    hlo: str = ""
    assignment: str = ""
    live_ranges: str = ""

    def outcome(self, refused: str | None = None) -> Outcome:
        """Of a compilation that did not run to its end."""
        known = Outcome(texts=(self.hlo,), memory=self._memory(), refused=refused)
        return self.added_to(known)

    def added_to(self, known: Outcome) -> Outcome:
        memory = {TEXTS: (self.assignment, self.live_ranges), **known.memory} if known.memory else {}
        return replace(known, memory=memory, assignment=self.assignment, live_ranges=self.live_ranges)

    def _memory(self) -> Mapping[str, Any]:
        """As `memory_analysis()` would have it, but for what a TPU's `temp` leaves out; code and peak are not
        known yet.
        """
        try:
            sums = peak_memory.sums(parse(self.assignment))
        except ValueError:
            return {}
        return {f"{name}_size_in_bytes": sums[name] for name in ("argument", "output", "alias", "temp")}


class Watch:
    """Of the folder of one compilation, while that runs."""

    def __init__(self, folder: Path, platform: str) -> None:
        self._folder = folder
        self._platform = platform
        self._sizes: dict[str, int] = {}

    def is_complete(self) -> bool:
        """Whether the texts are there and, on TPU, the program fits the device. To be asked again and again:
        for CUDA no file says that the others are whole, so they must not have grown since.
        """
        endings = (_FITS,) if self._platform == "tpu" else (_HLO, _ASSIGNMENT, _LIVE_RANGES)
        before = self._sizes
        self._sizes = {path.name: path.stat().st_size for path in self._folder.glob("*after_optimizations*")}
        there = all(any(name.endswith(ending) for name in self._sizes) for ending in endings)
        return there and (self._platform == "tpu" or self._sizes == before)


def read(folder: Path, module: str) -> DumpTexts:
    """The texts of the module of that name. Raises `UnavailableError` if they are cut off."""
    found = sorted(folder.glob(f"*.{module}.*after_optimizations*.txt"))

    def text(ending: str) -> str:
        return next((path.read_text() for path in found if path.name.endswith(ending)), "")

    texts = DumpTexts(text(_HLO), text(_ASSIGNMENT), text(_LIVE_RANGES))
    if texts.hlo and not texts.hlo.rstrip().endswith("}"):
        raise UnavailableError("XLA's dump is incomplete", hint=FULL_DISK)
    return texts
