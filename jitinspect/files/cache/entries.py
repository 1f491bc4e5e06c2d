"""A `…-cache` file → what it says of itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from jitinspect.files.cache.executables import SECONDS, Executable, executable_in
from jitinspect.files.cache.expanding import Expanded, expand
from jitinspect.files.cache.here import loadable
from jitinspect.model.cache import CacheEntry

SUFFIX, USED_SUFFIX = "-cache", "-atime"
STILL_WRITING = 60.0
"""Seconds after which an entry that is cut off is damaged. JAX writes entries in place: before that, the rest
may be on the way.
"""
_NAME = re.compile(r"(.*?)(?:-([0-9a-f]{64}))?", re.DOTALL)
"""A module's name and the key, as `cache_key.get` joins them (0.8.3 to 0.12.0.1)."""
_UNKNOWN = "what it expands to is no executable of JAX 0.8 to 0.12"


def read_entry(path: str, now: float, is_noted: bool = True) -> CacheEntry:
    """An entry, read and decompressed within limits, and no part of it run. `now` is in seconds since 1970;
    `is_noted` whether there may be a file that tells when it was last used.

    What is wrong with it is said by `state` and `why_not`. Raises `FileNotFoundError` if it is gone.
    """
    found = expand(path)
    executable = executable_in(found.head)
    folder, _, file = path.rpartition("/")
    stem = file.removesuffix(SUFFIX)
    name = _NAME.fullmatch(stem)
    assert name is not None
    return CacheEntry(
        file=file,
        module=executable.module if executable else name[1],
        bytes=found.file_size,
        age_seconds=now - found.written,
        used_seconds=_used(Path(folder, stem + USED_SUFFIX), now) if is_noted else None,
        key=name[2] or "",
        compression=found.compression,
        **(_of_executable(executable, found.head) if executable else {}),
        **_verdict(found, executable, now),
    )


def _used(note: Path, now: float) -> float | None:
    """JAX writes when it last read an entry: nanoseconds in eight bytes (`lru_cache`, 0.8.3 to 0.12.0.1)."""
    try:
        return now - int.from_bytes(note.read_bytes()[:8], "little") / 1e9 if note.is_file() else None
    except OSError:
        return None


def _of_executable(executable: Executable, head: bytes) -> dict[str, Any]:
    machine, origin = executable.machine, executable.origin
    return {
        "compile_seconds": int.from_bytes(head[:SECONDS], "big"),
        "platform": executable.platform,
        "built_for": f"{machine.name} ({machine.triple})" if machine else executable.versions,
        "source": f"{origin.file}:{origin.line}" if origin else None,
        "function": origin.function if origin else None,
    }


def _verdict(found: Expanded, executable: Executable | None, now: float) -> dict[str, Any]:
    if found.state == "damaged":
        if found.cut_off and now - found.written < STILL_WRITING:
            return {"state": "unfinished", "why_not": f"{found.why}: it may still be being written"}
        return {"state": "damaged", "loadable": False, "why_not": found.why}
    if found.state == "unreadable":
        return {"state": "unreadable", "why_not": found.why}
    if executable is None:
        return {"state": "unreadable", "why_not": found.why or _UNKNOWN, "expanded_bytes": found.size}
    can, why = loadable(executable, found.compression)
    return {"state": found.state, "loadable": can, "why_not": why or found.why, "expanded_bytes": found.size}
