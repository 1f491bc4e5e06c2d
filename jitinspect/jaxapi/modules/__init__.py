"""Modules that were lowered elsewhere: read from bytes, and compiled as if JAX had just lowered them."""
