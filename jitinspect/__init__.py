"""Inspect how JAX traces, lowers and compiles a function.

Importing this package imports neither jax nor anything else that is slow.
"""

__version__ = "0.1.0"
