"""A call → the entry that it would take, or why it would find none: the nearest entries, and what differs.

Nothing is compiled or written, and no entry is marked as used.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jitinspect.errors import LoadError, UsageError
from jitinspect.files.cache.contents import Contents, contents_of_call, contents_of_entry
from jitinspect.files.cache.differences import differences
from jitinspect.files.cache.entries import SUFFIX, read_entry
from jitinspect.files.cache.listing import names_in
from jitinspect.files.cache.verification import tried
from jitinspect.jaxapi.devices import option
from jitinspect.jaxapi.keys import disk_cache
from jitinspect.jaxapi.keys.computation import serialized_hlo
from jitinspect.model import Target
from jitinspect.model.cache_lookups import CacheLookup, CacheWhyReport, NearEntry
from jitinspect.stages.inspection import Subject

MOST_COMPARED = 16
"""Entries that are compared with a call, the newest ones: one of 10,000 instructions takes half a second."""
NEAREST = 3
"""Entries that are named."""
_KEY = 64


@dataclass(frozen=True, slots=True)
class Folder:
    """Which one to look into: the one that the user has `given`, or else that of JAX's settings, those of the
    target's module first.
    """

    given: str | None
    usual: str | None

    def used(self) -> str:
        """It is set, as its path can be part of the key (0.10.2), in the spelling of JAX's settings if it is
        theirs. Raises `UsageError` if there is none.
        """
        own = disk_cache.folder() or self.usual
        is_own = own and self.given and Path(own).absolute() == Path(self.given).absolute()
        folder = own if is_own else self.given or own
        if folder is None:
            raise UsageError(
                "no cache folder is set, so JAX keeps no compilations on disk",
                hint="--dir DIR, or for JAX as well: export JAX_COMPILATION_CACHE_DIR=DIR",
            )
        disk_cache.set_folder(folder)
        return folder


def read(target: Target, subjects: Iterator[Subject], folder: Folder) -> CacheWhyReport:
    """Raises `UsageError` if there is no folder, `UnavailableError` if JAX makes no key."""
    return CacheWhyReport("cache why", target, tuple(_looked_up(one, folder.used()) for one in subjects))


def _looked_up(subject: Subject, folder: str) -> CacheLookup:
    with subject.muted():
        lowered = subject.pipeline.lowered
        parts = subject.pipeline.key_parts()
        call = contents_of_call(parts, serialized_hlo(lowered))
    known = (subject.signature, folder, f"{parts.key.key}{SUFFIX}", parts.key.module)
    obstacles = disk_cache.entry(parts.key.key, lowered).obstacles
    if "://" in folder:
        return CacheLookup(*known, present=None, obstacles=obstacles)
    if (Path(folder) / known[2]).exists():
        entry = read_entry(f"{folder}/{known[2]}", time.time())
        return CacheLookup(*known, present=True, entry=tried(folder, [entry])[0])
    return Search(folder, call).lookup(known, obstacles)


@dataclass(frozen=True, slots=True)
class Search:
    """For the entries of a folder that are most like a call."""

    folder: str
    call: Contents

    def lookup(self, known: tuple[str, str, str, str], obstacles: tuple[str, ...]) -> CacheLookup:
        try:
            names = names_in(self.folder).entries
        except LoadError:  # JAX makes it when it first compiles
            return CacheLookup(*known, present=False, obstacles=obstacles)
        alike = [name for name in names if _module(name) == known[3]]
        near = list(self._near(alike)) or [one for one in self._near(names) if _is_renamed(one)]
        near.sort(key=lambda one: (one.why_not is not None, _number(one), one.entry.age_seconds))
        return CacheLookup(
            *known,
            present=False,
            obstacles=obstacles,
            nearest=tuple(near[:NEAREST]),
            alike=len(alike),
            entries=len(names),
        )

    def _near(self, names: list[str] | tuple[str, ...]) -> Iterator[NearEntry]:
        for name in sorted(names, key=self._age)[:MOST_COMPARED]:
            try:
                yield self.compared(name)
            except FileNotFoundError:
                continue

    def _age(self, name: str) -> float:
        try:
            return -(Path(self.folder) / name).stat().st_mtime
        except OSError:
            return 0.0

    def compared(self, name: str) -> NearEntry:
        path = f"{self.folder}/{name}"
        entry = read_entry(path, time.time())
        try:
            contents = contents_of_entry(path)
        except LoadError as error:
            return NearEntry(entry, why_not=error.message)
        try:
            found = tuple(differences(contents, self.call))
        except (RecursionError, ValueError, IndexError, KeyError):  # it can be made to call itself
            return NearEntry(entry, why_not="its program is not one that XLA makes")
        return NearEntry(entry, found, tuple(unseen(contents, self.call)))


def _module(name: str) -> str:
    """`jit_step` of `jit_step-<key>-cache`."""
    return name.removesuffix(SUFFIX)[: -_KEY - 1]


def _number(near: NearEntry) -> int:
    return sum(difference.certain for difference in near.differences)


def _is_renamed(near: NearEntry) -> bool:
    """Whether it may be of the same function under another name: its arguments and results are the same."""
    of_signature = ("argument ", "results", "devices")
    known = not near.why_not and near.differences
    return bool(known) and not any(one.what.startswith(of_signature) for one in near.differences)


def unseen(entry: Contents, call: Contents) -> Iterator[str]:
    """What of a key leaves no trace in an entry, and may differ besides."""
    if entry.module is None or call.module is None:
        yield "computation: entries of this platform do not show it"
    elif option("jax_compilation_cache_include_metadata_in_key"):
        yield "computation: the lines of the source (jax_compilation_cache_include_metadata_in_key)"
    else:
        yield "computation: names of results, and what XLA has rewritten or removed"
    yield "jax_lib version, backend version: an entry does not tell them"
    flags = f" (here: {', '.join(sorted(call.flags))})" if call.flags else ""
    yield f"XLA flags: also those that set what is the default{flags}"
    cpu = " and their CPU" if entry.cpu and not call.cpu else ""
    yield f"accelerator_config: all devices of the process{cpu}, not only those that the call uses"
    yield "custom_hook"
