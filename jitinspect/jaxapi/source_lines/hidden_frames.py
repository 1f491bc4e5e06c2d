"""Which frames JAX takes for the user's when it writes source locations into a module."""

from __future__ import annotations

from collections.abc import Iterable


def hide_frames(paths: Iterable[str]) -> None:
    """Let no frame of a file below `paths` (prefixes) enter the location tables of later traces.

    `jax.extend.source_info_util.register_exclusion`, in 0.8.3 to 0.12.0.1, is what other libraries
    use to the same end; there is no way to take an exclusion back. Where it is missing nothing is done.
    """
    try:
        from jax.extend.source_info_util import register_exclusion
    except ImportError:
        return
    for path in paths:
        register_exclusion(path)
