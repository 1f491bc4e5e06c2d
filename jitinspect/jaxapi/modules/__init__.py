"""Modules that were lowered elsewhere: read from bytes, and compiled by JAX as if it had lowered them itself.
"""
