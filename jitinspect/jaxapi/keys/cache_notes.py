"""What JAX keeps to itself about a cache folder, or only warns of: why entries are missing from it.

The rules are those of `compiler._cache_write`, `compilation_cache` and `lru_cache.LRUCache` (0.8.3 to
0.12.0.1). The one place that has them: `cache`, `doctor`, `key` and `run` tell them from here. No jax is
imported.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from jitinspect.jaxapi import version
from jitinspect.jaxapi.keys.cache_settings import CacheSettings, has_epath, has_filelock

SUFFIX, USED_SUFFIX = "-cache", "-atime"


def notes(folder: str, settings: CacheSettings, names: Iterable[str] = ()) -> Iterator[str]:
    """Sentences; what prevents JAX from writing comes first. `names` are the files of the folder."""
    if not settings.enabled:
        yield "JAX neither reads nor writes it: JAX_ENABLE_COMPILATION_CACHE is off"
    for why in why_nothing_is_written(folder, settings):
        yield f"nothing is cached: {why}; JAX only warns of that"
    yield from of_other_processes(settings, names)
    if settings.least_seconds > 0:
        yield (
            f"what compiles in less than {settings.least_seconds:g} s is not written "
            "(JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0 keeps it, too)"
        )
    if settings.least_bytes > 0:
        yield (
            f"what takes less than {settings.least_bytes:,} bytes is not written "
            "(JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES)"
        )


def why_nothing_is_written(folder: str, settings: CacheSettings) -> Iterator[str]:
    """What is wrong with the folder, or with how JAX would open it."""
    is_remote = "://" in folder and not folder.startswith("file://")
    if is_remote and not has_epath():
        yield f"{folder} is not on this machine, and needs etils (pip install 'etils[epath]')"
    if settings.needs_filelock and not has_filelock():
        yield f"JAX_COMPILATION_CACHE_MAX_SIZE={settings.most_bytes} needs filelock (pip install filelock)"
    elif settings.most_bytes == 0:
        yield "JAX_COMPILATION_CACHE_MAX_SIZE=0 leaves no room for an entry"
    if not is_remote:
        yield from unwritable(Path(folder.removeprefix("file://")))


def unwritable(folder: Path) -> Iterator[str]:
    """Why nothing can be written to `folder`, which JAX creates if it is missing."""
    nearest = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    if not nearest.is_dir():
        yield f"{nearest} is not a folder"
    elif not os.access(nearest, os.W_OK | os.X_OK):
        yield f"{nearest} cannot be written to"


def of_other_processes(settings: CacheSettings, names: Iterable[str]) -> Iterator[str]:
    """What is seen of those that use the same folder with other settings.

    With a limit, JAX notes when it last used each entry. Where it finds one without a note, 0.10.2 fails to
    write any other, with a warning; 0.12.0.1 removes that one first.
    """
    if not _fails_without_notes():
        return
    found = {*names}
    entries = {name.removesuffix(SUFFIX) for name in found if name.endswith(SUFFIX)}
    noted = {name.removesuffix(USED_SUFFIX) for name in found if name.endswith(USED_SUFFIX)} & entries
    if settings.needs_filelock and (unnoted := len(entries) - len(noted)):
        yield (
            f"nothing more is cached: {unnoted:,} of {len(entries):,} entries were written without a limit, "
            "and this JAX fails on them while JAX_COMPILATION_CACHE_MAX_SIZE is set (removing them helps)"
        )
    elif noted and not settings.needs_filelock:
        yield (
            "another process has set JAX_COMPILATION_CACHE_MAX_SIZE, and can write nothing more once this "
            "one writes an entry without it: set it in all processes, or in none"
        )


def _fails_without_notes() -> bool:
    numbers = (version.installed() or "").split(".")[:2]
    return all(map(str.isdecimal, numbers)) and [int(number) for number in numbers] < [0, 11]
