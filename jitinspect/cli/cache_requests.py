"""The commands of `cache`: from their options to the core, and back."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from jitinspect.cli import streams
from jitinspect.cli.options import CacheOrder, OutputOptions
from jitinspect.cli.sizes import bytes_of
from jitinspect.errors import UsageError

if TYPE_CHECKING:
    from jitinspect.files.cache.listing import Filter
    from jitinspect.jaxapi.keys.cache_settings import CacheSettings
    from jitinspect.model.cache import CacheReport

_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])(?:ec|in|ays?|ours?|eeks?)?", re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def filter_of(module: str, older_than: str, larger_than: str) -> Filter:
    """Raises `UsageError` for a time or a size that is none."""
    from jitinspect.files.cache.listing import Filter

    return Filter(
        module,
        seconds_of("--older-than", older_than) if older_than else None,
        bytes_of("--larger-than", larger_than) if larger_than else None,
    )


def seconds_of(option: str, text: str) -> float:
    """`7d` in seconds. Raises `UsageError` for what is no time."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{option}: {text!r} is no time", hint=f"{option} 90m, 12h, 7d, 4w")
    return float(found[1]) * _SECONDS[found[2].lower()]


def ls_core(folder: Path | None, chosen: Filter, order: CacheOrder, output: OutputOptions) -> CacheReport:
    """Raises `UsageError` if no folder is known, `LoadError` if it cannot be listed."""
    from jitinspect.files.cache.listing import contents
    from jitinspect.files.cache.notes import notes
    from jitinspect.jaxapi.keys.cache_settings import settings
    from jitinspect.model.cache import CacheReport

    found = settings()
    cache = contents(folder_of(folder, found), chosen, order.value)
    return CacheReport("cache ls", cache, tuple(notes(cache, found)))


def folder_of(given: Path | None, found: CacheSettings) -> str:
    """The folder that was named, or else JAX's. Raises `UsageError` if there is none."""
    if given is not None:
        return str(given)
    if found.folder is None:
        raise UsageError(
            "no cache folder is set, so JAX keeps no compilations on disk",
            hint="--dir DIR, or for JAX as well: export JAX_COMPILATION_CACHE_DIR=DIR",
        )
    return found.folder


def tell_notes(report: CacheReport, output: OutputOptions) -> None:
    """What JAX keeps to itself, on stderr below the table."""
    if output.quiet or output.as_json:
        return
    from jitinspect.render.text import DIM, Painter, hanging

    paint = Painter(streams.wants_color(output.color.value, sys.stderr))
    width = os.get_terminal_size(2).columns if sys.stderr.isatty() else 10**4
    for note in report.notes:
        sys.stderr.writelines(paint(line, DIM) + "\n" for line in hanging(f"note  {note}", width))
