"""Callbacks for a program's compilations while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jitinspect.model.runs import Compilation, Span


@dataclass(frozen=True, slots=True)
class Listeners:
    """Each is called in the thread that compiles, and the program waits; `on_note` at the very end."""

    on_compiling: Callable[[Compilation], None] = lambda so_far: None
    on_compilation: Callable[[Compilation], None] = lambda compilation: None
    on_span: Callable[[Span], None] = lambda span: None
    on_note: Callable[[str], None] = lambda text: None
