"""A `…-cache` file → what it says of itself."""

from __future__ import annotations

from pathlib import Path

from jitinspect.files.cache.executables import SECONDS, Executable, executable_in
from jitinspect.files.cache.expanding import Expanded, expand
from jitinspect.files.cache.here import loadable
from jitinspect.files.cache.remote import fetched, is_remote
from jitinspect.model.cache import CacheEntry, State

SUFFIX, USED_SUFFIX = "-cache", "-atime"
STILL_WRITING = 60.0
"""Seconds after which an entry that is cut off is damaged. JAX writes entries in place: before that, the rest
may be on the way.
"""
_NOTE = 8
_KEY = 64
"""Characters of a key, which follows the module's name and a dash (`cache_key.get`, 0.8.3 to 0.12.0.1)."""
_UNKNOWN = "what it expands to is no executable of JAX 0.8 to 0.12"


def read_entry(path: str, now: float, is_noted: bool = True) -> CacheEntry:
    """An entry, read and decompressed within limits, and no part of it run. `now` is in seconds since 1970;
    `is_noted` whether there may be a file that tells when it was last used.

    What is wrong with it is said by `state` and `why_not`. Raises `FileNotFoundError` if it is gone.
    """
    found = expand(path)
    is_damaged = found.state == "damaged" and not found.cut_off  # then what came before may be wrong, too
    executable = None if is_damaged else executable_in(found.head)
    folder, _, file = path.rpartition("/")
    stem = file.removesuffix(SUFFIX)
    module, _, key = stem.rpartition("-")
    if len(key) != _KEY:
        module, key = stem, ""
    if executable is None:
        executable = Executable(module)
        state, loads, why = _unknown(found, now)
    else:
        state, loads, why = _known(found, executable, now)
    origin = executable.origin
    return CacheEntry(
        file,
        executable.module,
        found.file_size,
        now - found.written,
        int.from_bytes(found.head[:SECONDS], "big") if executable.platform else None,
        executable.platform,
        loads,
        why,
        f"{origin.file}:{origin.line}" if origin else None,
        origin.function if origin else None,
        _used(f"{folder}/{stem}{USED_SUFFIX}", now) if is_noted else None,
        state,
        key,
        found.compression,
        found.size if found.why is None else None,
        _built_for(executable),
    )


def _used(note: str, now: float) -> float | None:
    """JAX writes when it last read an entry: nanoseconds in eight bytes (`lru_cache`, 0.8.3 to 0.12.0.1)."""
    try:
        if is_remote(note):
            with fetched(note, _NOTE) as (file, _, _):
                return now - int.from_bytes(file.read(_NOTE), "little") / 1e9
        path = Path(note)
        return now - int.from_bytes(path.read_bytes()[:_NOTE], "little") / 1e9 if path.is_file() else None
    except OSError:
        return None


def _built_for(executable: Executable) -> str | None:
    machine = executable.machine
    return f"{machine.name} ({machine.triple})" if machine else executable.versions


Verdict = tuple[State, bool | None, str | None]
"""The state, whether it can be loaded, and why not."""


def _known(found: Expanded, executable: Executable, now: float) -> Verdict:
    if found.state in ("damaged", "unreadable"):
        return _unknown(found, now)
    can, why = loadable(executable, found.compression)
    return found.state, can, why or found.why


def _unknown(found: Expanded, now: float) -> Verdict:
    """Of one that does not expand to an executable."""
    if found.cut_off and now - found.written < STILL_WRITING:
        return "unfinished", None, f"{found.why}: it may still be being written"
    if found.why is None:
        return "unreadable", None, _UNKNOWN
    return found.state, False if found.state == "damaged" else None, found.why
