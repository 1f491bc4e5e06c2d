"""`jitinspect.mark("warm")`: a program says what point it has reached, and listeners are called."""

from __future__ import annotations

from collections.abc import Callable

listeners: list[Callable[[str], None]] = []


def mark(name: str) -> None:
    """Say that the program has reached `name`. Does nothing unless the program is being watched."""
    for listener in list(listeners):
        listener(name)
