"""Strings in, exit code out: the Typer application around the core.

Strings enter, an exit code leaves. At the top of its modules stands nothing that imports jax: `--help`, a
mistyped argument and `view` must not wait for it. May import: every wing.
"""
