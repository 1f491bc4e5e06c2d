"""Which frames JAX considers the user's when it writes source locations into a module."""

from __future__ import annotations

from collections.abc import Iterable


def hide_frames(paths: Iterable[str]) -> None:
    """Keep frames of files under `paths` (prefixes) out of the location tables of later traces.

    Other libraries also use `jax.extend.source_info_util.register_exclusion` for this (0.8.3 to
    0.12.0.1); an exclusion cannot be undone. If the function is missing, nothing is done.
    """
    try:
        from jax.extend.source_info_util import register_exclusion
    except ImportError:
        return
    for path in paths:
        register_exclusion(path)
