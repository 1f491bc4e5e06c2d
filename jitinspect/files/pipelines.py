"""The stages of what a file holds: those that are later than it."""

from __future__ import annotations

from typing import Any

import jax

from jitinspect.jaxapi.executables.given_modules import GivenModule, lowered_to
from jitinspect.stages.pipeline import Pipeline


class ModulePipeline(Pipeline):
    """A module that JAX can compile. What is traced has its types alone."""

    has_jaxpr = False

    def __init__(
        self, trace: Any, given: GivenModule, platform: str | None = None, device: jax.Device | None = None
    ) -> None:
        super().__init__(trace, platform, device)
        self._given = given

    def lower(self) -> Any:
        return lowered_to(super().lower(), self._given)
