"""Entries → whether JAX opens each of them: tried in a process that may be lost, with limits.

An entry that ends that process, or takes too long or too much memory, is named, and the next one is opened in
a new process.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from jitinspect.devices.lifeline import start
from jitinspect.errors import LoadError, UnavailableError
from jitinspect.files.cache.listing import ALL, Filter, contents_of, entries_in, names_in
from jitinspect.files.cache.opening_process import Opened, Ready, Task
from jitinspect.files.cache.remote import require_local
from jitinspect.files.guarded import Limits, next_answer
from jitinspect.model.cache import CacheContents, CacheEntry

_START = 120.0
"""Seconds for JAX to start."""
_THIS = "this entry"


def verified(
    folder: str,
    chosen: Filter = ALL,
    limits: Limits = Limits(),  # noqa: B008 (it is frozen)
    on_entry: Callable[[], None] = lambda: None,
) -> CacheContents:
    """The folder, each chosen entry with whether JAX can load it, and if not, why.

    Raises `LoadError` for a folder that cannot be listed, `UnavailableError` if JAX does not start.
    """
    require_local(folder, "cache verify")
    names = names_in(folder)
    entries = [entry for entry in entries_in(folder, names) if chosen.passes(entry)]
    return contents_of(folder, tried(folder, entries, limits, on_entry), names.others)


def tried(
    folder: str,
    entries: Iterable[CacheEntry],
    limits: Limits = Limits(),  # noqa: B008
    on_entry: Callable[[], None] = lambda: None,
) -> list[CacheEntry]:
    """The same entries, with what became of them; JAX starts only if there is one that it may open here."""
    known = {entry.file: entry for entry in entries}
    opened = [entry for entry in known.values() if _may_be_opened(entry)]
    for _ in range(len(known) - len(opened)):
        on_entry()
    for platform, those in groupby(sorted(opened, key=_platform), _platform):
        for entry in _tried(folder, platform or None, list(those), limits):
            known[entry.file] = entry
            on_entry()
    return list(known.values())


def _may_be_opened(entry: CacheEntry) -> bool:
    """Not what JAX would never open here, what is damaged beyond doubt, or large and no executable."""
    is_whole = entry.state == "sound" or (entry.state == "too_large" and entry.platform is not None)
    return is_whole and entry.loadable is not False


def _platform(entry: CacheEntry) -> str:
    return entry.platform or ""


def _tried(
    folder: str, platform: str | None, entries: list[CacheEntry], limits: Limits
) -> Iterator[CacheEntry]:
    """Each entry, with what became of it."""
    while entries:
        done = 0
        for entry in _in_one_process(folder, platform, entries, limits):
            done += 1
            yield entry
        entries = entries[done:]


def _in_one_process(
    folder: str, platform: str | None, entries: list[CacheEntry], limits: Limits
) -> Iterator[CacheEntry]:
    """As many entries as one process lasts, at least one."""
    child = start("jitinspect.files.cache.opening_process", environ=os.environ)
    try:
        child.send(Task(platform, tuple(f"{folder}/{entry.file}" for entry in entries)))
        _require_start(next_answer(child, "JAX", _START, None))
        for entry in entries:
            try:
                answer = next_answer(child, _THIS, limits.seconds, limits.memory)
            except LoadError as error:
                yield _refused(entry, error.message.replace(_THIS, "it", 1))
                return
            assert isinstance(answer, Opened)
            yield _refused(entry, f"JAX does not open it: {answer.why}") if answer.why else _sound(entry)
    finally:
        child.end()


def _require_start(answer: object) -> None:
    if isinstance(answer, Ready) and answer.why:
        raise UnavailableError(f"JAX does not start: {answer.why}", hint="jitinspect doctor")


def _sound(entry: CacheEntry) -> CacheEntry:
    return replace(entry, state="sound", loadable=True, why_not=None)


def _refused(entry: CacheEntry, why: str) -> CacheEntry:
    return replace(entry, state="refused", loadable=False, why_not=why)
