"""The stages of what a file holds: those that are later than it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax

from jitinspect.errors import UnavailableError
from jitinspect.jaxapi.executables import aliasing
from jitinspect.jaxapi.modules.donating import donated_as
from jitinspect.jaxapi.modules.stand_in import lowered_to, refusing
from jitinspect.stages.pipeline import Pipeline


class ModulePipeline(Pipeline):
    """A module that JAX can compile; that is refused if `refusal` is given. What is traced has its types
    alone.
    """

    has_jaxpr = False

    def __init__(
        self,
        trace: Callable[[], Any],
        module: Any,
        refusal: UnavailableError | None = None,
        device: jax.Device | None = None,
    ) -> None:
        super().__init__(trace, None, device)
        self._module = module
        self._refusal = refusal

    def lower(self) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of donated buffers, which whoever lowered the module has seen
            lowered = lowered_to(super().lower(), self._module)
        return refusing(lowered, self._refusal) if self._refusal else lowered

    def recompiled(self, donated: Sequence[bool], order: Sequence[int] = ()) -> tuple[Any, Any] | None:
        become = partial(donated_as, module=self._module, order=order)
        return aliasing.recompiled(self.traced, donated, order, self.lowered, become)

    def runs(self, jit: Callable[..., Any]) -> Callable[..., Any]:
        compiled: Callable[..., Any] = self.compiled
        return compiled
