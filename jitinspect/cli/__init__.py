"""Strings in, exit code out: the Typer application around the core.

Nothing at the top of these modules imports jax: `--help`, a mistyped argument and
`view` must not wait for it.
"""
