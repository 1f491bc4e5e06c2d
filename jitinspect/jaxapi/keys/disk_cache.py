"""Whether the on-disk cache has an entry, and what prevents JAX from writing one.

The rules are those of JAX's `compiler._cache_write` and `compilation_cache.put_executable_and_time`
(0.8.3 to 0.12.0.1).
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jax
from jax._src import compiler as _compiler
from jax._src import distributed as _distributed

from jitinspect.jaxapi.devices import option
from jitinspect.model import DiskEntry

SUFFIX = "-cache"
LEAST_SECONDS = "jax_persistent_cache_min_compile_time_secs"
LEAST_BYTES = "jax_persistent_cache_min_entry_size_bytes"


def entry(key: str, lowered: jax.stages.Lowered) -> DiskEntry:
    """What the folder `jax_compilation_cache_dir` has under `key`; nothing is opened, made or written."""
    folder = option("jax_compilation_cache_dir")
    if not folder:
        missing = "no cache folder is set: JAX_COMPILATION_CACHE_DIR=… sets one"
        return DiskEntry(None, obstacles=(missing, *_obstacles(lowered)))
    if "://" in folder:
        return DiskEntry(folder, present=None, obstacles=tuple(_obstacles(lowered)))
    try:
        found = (Path(folder) / f"{key}{SUFFIX}").stat()
    except OSError:
        return DiskEntry(folder, obstacles=(*_unwritable(Path(folder)), *_obstacles(lowered)))
    written = datetime.fromtimestamp(found.st_mtime, UTC).isoformat(timespec="seconds")
    return DiskEntry(folder, present=True, bytes=found.st_size, written=written)


def _obstacles(lowered: jax.stages.Lowered) -> Iterator[str]:
    if process := getattr(_distributed.global_state, "process_id", 0):
        yield f"only process 0 writes, and this is process {process}"
    if _callbacks_hinder() and _host_callbacks(lowered):
        yield "it calls back to the host (jax.debug.print, pure_callback, …): this JAX does not cache that"
    if (seconds := _least(LEAST_SECONDS)) > 0:
        yield f"only if its compilation takes {seconds:g} s or more ({LEAST_SECONDS})"
    if (size := _least(LEAST_BYTES)) > 0:
        yield f"only if it is {size:.0f} bytes or larger ({LEAST_BYTES})"


def _least(name: str) -> float:
    return float(option(name) or 0)


def _callbacks_hinder() -> bool:
    """Up to 0.10 JAX passes callbacks to its writer, which then writes nothing; from 0.11 on it writes."""
    writer = getattr(_compiler, "_cache_write", None)
    return writer is not None and "host_callbacks" in inspect.signature(writer).parameters


def _host_callbacks(lowered: Any) -> bool:
    arguments = getattr(getattr(lowered, "_lowering", None), "compile_args", {})
    return bool(arguments.get("host_callbacks"))


def _unwritable(folder: Path) -> Iterator[str]:
    """Why nothing can be written to `folder`, which JAX creates if it is missing."""
    nearest = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    if not nearest.is_dir():
        yield f"{nearest} is not a folder"
    elif not os.access(nearest, os.W_OK | os.X_OK):
        yield f"{nearest} cannot be written to"
