"""Callbacks for a program's compilations while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jitinspect.model.runs import Compilation


@dataclass(frozen=True, slots=True)
class Listeners:
    """Each is called in the thread that compiles, and the program waits."""

    on_compiling: Callable[[Compilation], None] = lambda so_far: None
    on_compilation: Callable[[Compilation], None] = lambda compilation: None
