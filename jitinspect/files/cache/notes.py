"""What JAX keeps to itself about a cache folder: why entries are missing from it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from jitinspect.jaxapi import version
from jitinspect.jaxapi.keys.cache_settings import CacheSettings, has_filelock
from jitinspect.model.cache import CacheContents


def notes(contents: CacheContents, settings: CacheSettings) -> Iterator[str]:
    """Sentences; what prevents JAX from writing comes first."""
    if not settings.enabled:
        yield "JAX neither reads nor writes it: JAX_ENABLE_COMPILATION_CACHE is off"
    if settings.needs_filelock and not has_filelock():
        yield (
            f"nothing is cached: JAX_COMPILATION_CACHE_MAX_SIZE={settings.most_bytes} needs filelock, and "
            "JAX only warns of that (pip install filelock)"
        )
    unnoted = sum(entry.used_seconds is None for entry in contents.entries)
    if settings.needs_filelock and unnoted and _fails_without_notes():
        yield (
            f"nothing more is cached: {unnoted:,} entries were written without a size limit, and this JAX "
            "fails on them while JAX_COMPILATION_CACHE_MAX_SIZE is set (removing them helps)"
        )
    yield from _of_folder(contents.folder)
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


def _fails_without_notes() -> bool:
    """JAX 0.10.2 reads the note on the last use of each entry before it writes one; 0.12.0.1 does without."""
    numbers = (version.installed() or "").split(".")[:2]
    return all(map(str.isdecimal, numbers)) and [int(number) for number in numbers] < [0, 11]


def _of_folder(folder: str) -> Iterator[str]:
    if "://" not in folder and not os.access(Path(folder), os.W_OK | os.X_OK):
        yield f"{folder} cannot be written to: JAX only warns of that, and caches nothing"
