"""Frames in JAX's own files, which JAX hides: shown where a function of JAX's is what is looked at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import jax
from jax._src import source_info_util as _source_info_util

_JAX = os.path.dirname(os.path.abspath(jax.__file__)) + os.sep


@contextmanager
def frames_shown_of(file: str | None) -> Iterator[None]:
    """Inside, jaxprs and the modules that are lowered have the frames in the folder of `file` if it is one of
    JAX's. Other files, which JAX does not hide, need nothing.

    `source_info_util._include_paths` and the caches of what is computed from it, on 0.8.3 to 0.12.0.1. A JAX
    without them keeps its frames hidden.
    """
    paths = getattr(_source_info_util, "_include_paths", None)
    if file is None or not file.startswith(_JAX) or not isinstance(paths, list):
        yield
        return
    folder = os.path.dirname(file) + os.sep
    paths.append(folder)
    _forget()
    try:
        yield
    finally:
        paths.remove(folder)
        _forget()


def _forget() -> None:
    """What JAX has kept of its earlier answers."""
    for name in ("_include_path_regex", "is_user_filename", "user_frame"):
        if clear := getattr(getattr(_source_info_util, name, None), "cache_clear", None):
            clear()
