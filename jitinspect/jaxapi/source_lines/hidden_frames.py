"""Which frames JAX considers the user's when it writes source locations into a module."""

from __future__ import annotations

from collections.abc import Iterable

from jax._src import source_info_util


def hide_frames(paths: Iterable[str]) -> None:
    """Keep frames of files under `paths` (prefixes) out of the location tables of later traces.

    Other libraries use `jax.extend.source_info_util.register_exclusion` for this (0.8.3 to 0.12.0.1), which
    is this function; `jax.extend` itself imports Pallas, after whose import JAX 0.12 compiles again what it
    has compiled before. An exclusion cannot be undone. If the function is missing, nothing is done.
    """
    if (register_exclusion := getattr(source_info_util, "register_exclusion", None)) is not None:
        for path in paths:
            register_exclusion(path)
