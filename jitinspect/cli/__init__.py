"""Strings in, exit code out: the Typer application around the core.

Strings enter, an exit code leaves. No module here imports jax at its top: `--help`, a mistyped argument and
`view` must not wait for it. May import: every wing.
"""
