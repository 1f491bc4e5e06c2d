"""Inspect how JAX traces, lowers and compiles a function.

Importing this package imports neither jax nor anything else that is slow.
"""

from typing import TYPE_CHECKING, Any

from jitinspect.process.marks import mark

if TYPE_CHECKING:
    from jitinspect.api import inspect, watch

__version__ = "0.1.0"
__all__ = ["__version__", "inspect", "mark", "watch"]


def __getattr__(name: str) -> Any:
    """`watch` and `inspect` need jax, which is not imported before they are asked for."""
    if name in ("inspect", "watch"):
        from jitinspect import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
