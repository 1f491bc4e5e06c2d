"""Inspect how JAX traces, lowers and compiles a function.

Importing this package imports neither jax nor anything else that is slow.
"""

from jitinspect.marks import mark

__version__ = "0.1.0"
__all__ = ["__version__", "mark"]
