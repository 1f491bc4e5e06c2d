"""Whether the on-disk cache has an entry, what prevents JAX from writing one, and why it did not write one.

The rules are those of JAX's `compiler._cache_write`, `compilation_cache.put_executable_and_time` and
`lru_cache.LRUCache.put` (0.8.3 to 0.12.0.1).
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jax
from jax._src import compilation_cache as _compilation_cache
from jax._src import compiler as _compiler
from jax._src import distributed as _distributed

from jitinspect.jaxapi.devices import option
from jitinspect.jaxapi.keys import cache_notes
from jitinspect.jaxapi.keys.cache_notes import unwritable, why_nothing_is_written
from jitinspect.jaxapi.keys.cache_settings import NO_LIMIT, CacheSettings
from jitinspect.model import DiskEntry

SUFFIX = "-cache"
FOLDER = "jax_compilation_cache_dir"
LEAST_SECONDS = "jax_persistent_cache_min_compile_time_secs"
LEAST_BYTES = "jax_persistent_cache_min_entry_size_bytes"
MOST_BYTES = "jax_compilation_cache_max_size"


def entry(key: str, lowered: jax.stages.Lowered) -> DiskEntry:
    """What the folder `jax_compilation_cache_dir` has under `key`; nothing is opened, made or written."""
    folder = option(FOLDER)
    if not folder:
        missing = "no cache folder is set: JAX_COMPILATION_CACHE_DIR=… sets one"
        return DiskEntry(None, obstacles=(missing, *_obstacles(lowered)))
    if "://" in folder:
        obstacles = (*why_nothing_is_written(folder, settings()), *_obstacles(lowered))
        return DiskEntry(folder, present=None, obstacles=obstacles)
    try:
        found = (Path(folder) / f"{key}{SUFFIX}").stat()
    except OSError:
        return DiskEntry(
            folder, obstacles=(*why_nothing_is_written(folder, settings()), *_obstacles(lowered))
        )
    written = datetime.fromtimestamp(found.st_mtime, UTC).isoformat(timespec="seconds")
    return DiskEntry(folder, present=True, bytes=found.st_size, written=written)


def folder() -> str | None:
    """The folder that JAX has opened, or else the one that is set. A folder that is set later than the first
    compilation is not used.
    """
    return _opened() or option(FOLDER)


def _opened() -> str | None:
    opened = getattr(_cache(), "_path", None)
    return None if opened is None else str(opened)


def _cache() -> Any:
    """JAX's cache; None if it has not opened the folder, or could not."""
    return getattr(_compilation_cache, "_cache", None)


@contextmanager
def no_folder() -> Iterator[str | None]:
    """No cache folder, unless one is set within, so that what the user's module compiles while it is imported
    is neither looked for nor written. Yields the one that was set.
    """
    before = option(FOLDER)
    jax.config.update(FOLDER, None)
    try:
        yield before
    finally:
        jax.config.update(FOLDER, before)


def settings() -> CacheSettings:
    """As they are in this process now."""
    return CacheSettings(
        folder(),
        bool(option("jax_enable_compilation_cache")),
        _least(LEAST_SECONDS),
        int(_least(LEAST_BYTES)),
        NO_LIMIT if option(MOST_BYTES) is None else int(option(MOST_BYTES)),
    )


def set_folder(folder: str) -> None:
    jax.config.update(FOLDER, folder)


def notes() -> Iterator[str]:
    """Sentences on what JAX does not say about the folder and its settings, or only warns of; none without a
    folder.
    """
    yield from ignored_folder()
    if (used := folder()) is not None:
        yield from cache_notes.notes(used, settings(), _names(used))


def other_processes() -> Iterator[str]:
    """What of `notes` is about other processes that use the folder."""
    if (used := folder()) is not None:
        yield from cache_notes.of_other_processes(settings(), _names(used))


def _names(folder: str) -> list[str]:
    try:
        return [] if "://" in folder else os.listdir(folder)
    except OSError:
        return []


def ignored_folder() -> Iterator[str]:
    """A sentence on a folder that was set too late, if one was."""
    opened, now = _opened(), option(FOLDER)
    if opened and now and Path(opened) != Path(now):
        yield (
            f"jax_compilation_cache_dir was set to {now} after JAX had opened {opened}, which it still uses: "
            "set it before the first compilation"
        )


def path_of(key: str) -> Path | None:
    """The file of the entry `key`; None if there is no key, or the folder is not a local one."""
    found = folder()
    return Path(found) / f"{key}{SUFFIX}" if key and found and "://" not in found else None


@dataclass(frozen=True, slots=True)
class Miss:
    """A compilation for which no entry was found: what JAX is about to compile.

    `key` is the entry's, `callbacks` whether it calls back to the host, `existed` whether there is a file of
    that name all the same.
    """

    key: str
    callbacks: bool
    existed: bool


def why_not_written(miss: Miss | None, seconds: float, tried: bool) -> str | None:
    """Why there is no entry of a compilation that has just ended; None if there is one.

    `miss` is None if JAX did not look for one, `seconds` is the time since it did, which is at least that of
    the compilation; `tried` says whether it began to write.
    """
    if miss is None:
        return _why_not_used()
    if tried:
        return _why_in_vain(miss)
    reasons = (*_unopened(), *_not_by_this_process(), *_calls_back(miss.callbacks), *_too_little(seconds))
    return next(iter(reasons), "the reason is not known (at DEBUG, the logger jax._src.compiler tells it)")


def _why_not_used() -> str:
    if not option("jax_enable_compilation_cache"):
        return "the cache is off (jax_enable_compilation_cache)"
    return "JAX did not use the cache: it was off before, or JAX has none for these devices"


def _why_in_vain(miss: Miss) -> str | None:
    path = path_of(miss.key)
    if miss.existed:
        return "there is a file of that name, which JAX could not use and does not replace"
    if path is None or path.exists():
        return None
    return f"JAX could not write it: {next(unwritable(path.parent), 'its warning says why')}"


def _unopened() -> Iterator[str]:
    path = option(FOLDER)
    if path and _cache() is None and hasattr(_compilation_cache, "_cache"):
        why = next(why_nothing_is_written(path, settings()), "its warning says why")
        yield f"JAX could not open the folder: {why}"


def _too_little(seconds: float) -> Iterator[str]:
    """A compilation that took no more than `seconds`; with both limits set it is not known which one held."""
    least, size = _least(LEAST_SECONDS), _least(LEAST_BYTES)
    if seconds < least:
        yield f"compiled in less than {least:g} s (set {LEAST_SECONDS}=0 to keep them)"
    elif size > 0:
        short = f", or compiled in little less than {least:g} s" if least > 0 else ""
        yield f"smaller than {size:,.0f} bytes ({LEAST_BYTES}){short}"


def _not_by_this_process() -> Iterator[str]:
    if process := getattr(_distributed.global_state, "process_id", 0):
        yield f"only process 0 writes, and this is process {process}"


def _calls_back(callbacks: bool) -> Iterator[str]:
    if callbacks and _callbacks_hinder():
        yield "it calls back to the host (jax.debug.print, pure_callback, …): this JAX does not cache that"


def _obstacles(lowered: jax.stages.Lowered) -> Iterator[str]:
    yield from _not_by_this_process()
    yield from _calls_back(_host_callbacks(lowered))
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
