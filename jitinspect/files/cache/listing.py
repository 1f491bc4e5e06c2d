"""A folder → its entries: those that were asked for, in the order that was asked for."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from jitinspect.errors import LoadError
from jitinspect.files.cache import remote
from jitinspect.files.cache.entries import SUFFIX, USED_SUFFIX, read_entry
from jitinspect.files.cache.folder_lock import LOCK_NAME
from jitinspect.model.cache import CacheContents, CacheEntry, CacheTotals, PrunedEntry
from jitinspect.process import garbage_collection

Order = Literal["module", "size", "age", "time", "used"]

_OF_XLA = ("xla_gpu_kernel_cache_file", "xla_gpu_per_fusion_autotune_cache_dir")
"""What XLA keeps in the folder besides (`compiler.get_compile_options`, 0.8.3 to 0.12.0.1)."""
_INFINITE = float("inf")


@dataclass(frozen=True, slots=True)
class Filter:
    """`module` is a pattern as of a shell, matched with the module's name, with or without its `jit_`.
    `older_than` is in seconds since it was written, `larger_than` in bytes of the file.
    """

    module: str = ""
    older_than: float | None = None
    larger_than: int | None = None

    def passes(self, entry: CacheEntry) -> bool:
        return (
            (not self.module or matches(entry.module, self.module))
            and (self.older_than is None or entry.age_seconds > self.older_than)
            and (self.larger_than is None or entry.bytes > self.larger_than)
        )


ALL = Filter()


def matches(module: str, pattern: str) -> bool:
    return fnmatchcase(module, pattern) or fnmatchcase(module.partition("_")[2], pattern)


@dataclass(frozen=True, slots=True)
class Names:
    """What a folder has: files of entries, those of notes on their last use, and what is none of JAX's or
    XLA's.
    """

    entries: tuple[str, ...]
    notes: frozenset[str]
    others: tuple[str, ...]


def names_in(folder: str) -> Names:
    """Raises `LoadError` for a folder that cannot be listed."""
    try:
        found = sorted(remote.names(folder) if remote.is_remote(folder) else os.listdir(folder))
    except OSError as error:
        raise LoadError(f"{folder}: {(error.strerror or str(error)).lower()}", hint=_hint(error)) from None
    entries = tuple(name for name in found if name.endswith(SUFFIX))
    notes = frozenset(name for name in found if name.endswith(USED_SUFFIX))
    others = (name for name in found if not name.endswith((SUFFIX, USED_SUFFIX)))
    return Names(entries, notes, tuple(name for name in others if name not in (LOCK_NAME, *_OF_XLA)))


def _hint(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "JAX makes it when it first compiles; --dir DIR names another one"
    return "--dir DIR names another one"


def entries_in(
    folder: str, names: Names, on_entry: Callable[[], None] = lambda: None, now: float | None = None
) -> Iterator[CacheEntry]:
    """Each entry of the folder, read on the way; one that goes away meanwhile is left out. Ages are counted
    from `now`, in seconds since 1970.
    """
    now = time.time() if now is None else now
    for name in names.entries:
        is_noted = name.removesuffix(SUFFIX) + USED_SUFFIX in names.notes
        try:
            yield read_entry(f"{folder}/{name}", now, is_noted)
        except FileNotFoundError:
            continue
        on_entry()


def contents(
    folder: str, chosen: Filter = ALL, order: Order = "module", on_entry: Callable[[], None] = lambda: None
) -> CacheContents:
    """Raises `LoadError` for a folder that cannot be listed."""
    names = names_in(folder)
    count, size, listed = 0, 0, []
    with garbage_collection.paused():
        for entry in entries_in(folder, names, on_entry):
            count, size = count + 1, size + entry.bytes
            if chosen.passes(entry):
                listed.append(entry)
    listed.sort(key=_KEYS[order])
    return CacheContents(folder, tuple(listed), totals(listed), CacheTotals(count, size), names.others)


def contents_of(folder: str, entries: Iterable[CacheEntry], others: tuple[str, ...]) -> CacheContents:
    """Those entries of the folder, and no others."""
    listed = tuple(sorted(entries, key=_KEYS["module"]))
    return CacheContents(folder, listed, totals(listed), totals(listed), others)


def totals(entries: Iterable[CacheEntry | PrunedEntry]) -> CacheTotals:
    sizes = [entry.bytes for entry in entries]
    return CacheTotals(len(sizes), sum(sizes))


_KEYS: dict[Order, Callable[[CacheEntry], tuple[float | str, ...]]] = {
    "module": lambda entry: (entry.module, entry.age_seconds),
    "size": lambda entry: (-entry.bytes, entry.module),
    "age": lambda entry: (entry.age_seconds, entry.module),
    "time": lambda entry: (-(entry.compile_seconds or 0), entry.module),
    "used": lambda entry: (_INFINITE if entry.used_seconds is None else entry.used_seconds, entry.module),
}
"""Largest first, newest first, slowest first, last used first."""
