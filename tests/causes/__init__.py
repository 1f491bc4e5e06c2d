"""Every cause of a recompilation that is known, and what is none, each as a small program."""

from tests.causes import (
    captured,
    controls,
    functions,
    history,
    leaves,
    odd_values,
    placement,
    settings,
    statics,
    trees,
)
from tests.causes.case import Case, Reason

CONTROLS = controls.CASES
"""The last call of each is CACHED, and there is nothing to explain."""

LOOK_UPS = controls.LOOK_UPS
"""The last call of each runs nothing, though JAX tells of a trace."""

CASES = [
    *leaves.CASES,
    *statics.CASES,
    *trees.CASES,
    *functions.CASES,
    *captured.CASES,
    *odd_values.CASES,
    *settings.CASES,
    *placement.CASES,
    *history.CASES,
    *CONTROLS,
]
"""All but the look-ups."""

__all__ = ["CASES", "CONTROLS", "LOOK_UPS", "Case", "Reason"]
