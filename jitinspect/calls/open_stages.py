"""The stages that a thread is in: one inside another, each with the seconds that belong to others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jitinspect.model import Phase


@dataclass(slots=True)
class OpenStage:
    """A stage that has begun and not ended. `work` is what it belongs to, `handled` the exception that was
    being handled when it began, `inside` the seconds of other work that JAX did in the meantime: eager
    operations run while a function is traced, for example under `jax.ensure_compile_time_eval`.
    """

    work: Any
    phase: Phase
    name: str
    began: float = 0.0
    handled: int = 0
    inside: float = 0.0


class OpenStages:
    """Innermost last. Each second that passes is counted for one piece of work only."""

    def __init__(self) -> None:
        self._open: list[OpenStage] = []

    def __len__(self) -> int:
        return len(self._open)

    @property
    def innermost(self) -> OpenStage | None:
        return self._open[-1] if self._open else None

    def begin(self, stage: OpenStage) -> None:
        self._open.append(stage)

    def end(self, phase: Phase, name: str) -> OpenStage | None:
        """Close the innermost stage of that kind; None if its beginning was not seen."""
        if self._open and self._open[-1].phase == phase and self._open[-1].name == name:
            return self._open.pop()
        for index in range(len(self._open) - 1, -1, -1):
            stage = self._open[index]
            if (stage.phase, stage.name) == (phase, name):
                stage.inside += sum(inner.inside for inner in self._open[index + 1 :])
                del self._open[index:]  # also the inner ones, which an exception left open
                return stage
        return None

    def counted(self, seconds: float) -> None:
        """So many seconds within the innermost stage are counted for other work."""
        if self._open:
            self._open[-1].inside += seconds
