"""`jitinspect.mark("warm")`: a program says where it has come to; whoever watches it is told."""

from __future__ import annotations

from collections.abc import Callable

listeners: list[Callable[[str], None]] = []


def mark(name: str) -> None:
    """Say that the program has come to `name`. Where nothing watches, this does nothing."""
    for listener in list(listeners):
        listener(name)
