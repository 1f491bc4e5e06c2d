"""What listens inside a program that is watched, and may not disturb it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jitinspect.jaxapi.calls import misses


class Guarded:
    """A listener. `fault` is the first exception that was its own, rather than one of the program's."""

    def __init__(self) -> None:
        self.fault: Exception | None = None

    def _harmless(self, method: Callable[..., None]) -> Callable[..., None]:
        """A fault of ours does not reach the program."""

        def guarded(*args: Any) -> None:
            try:
                method(*args)
            except Exception as error:
                if misses.raising_signal(error) is not None:
                    raise
                self.fault = self.fault or error

        return guarded
