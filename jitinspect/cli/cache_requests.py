"""The commands of `cache`: from their options to the core, and back."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from typing import TYPE_CHECKING

from jitinspect.cli import streams
from jitinspect.cli.options import CacheOrder, OutputOptions
from jitinspect.cli.sizes import bytes_of
from jitinspect.errors import CheckFailed, LoadError, UsageError

if TYPE_CHECKING:
    from jitinspect.files.cache.listing import Filter
    from jitinspect.files.cache.pruning import Choice
    from jitinspect.jaxapi.keys.cache_settings import CacheSettings
    from jitinspect.model.cache import CacheReport, PruneReport
    from jitinspect.model.cache_stats import CacheStatsReport
    from jitinspect.render.json import AnyCache

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


def ls_core(folder: str | None, chosen: Filter, order: CacheOrder, output: OutputOptions) -> CacheReport:
    """Raises `UsageError` if no folder is known, `LoadError` if it cannot be listed."""
    from jitinspect.files.cache.listing import contents, names_in
    from jitinspect.jaxapi.keys.cache_settings import settings
    from jitinspect.model.cache import CacheReport

    found = settings()
    where = folder_of(folder, found)
    with progress(len(names_in(where).entries), output) as advance:
        cache = contents(where, chosen, order.value, advance)
    return CacheReport("cache ls", cache, notes_on(where, found))


def entry_file(entry: str, folder: str | None) -> str:
    """The path of an entry: a file's, or that of the only one in the folder whose name begins so.

    Raises `UsageError` if no folder is known, `LoadError` if there is no such entry, or more than one.
    """
    from jitinspect.files.cache.listing import names_in
    from jitinspect.jaxapi.keys.cache_settings import settings

    if os.path.lexists(entry):
        return os.path.join(os.path.dirname(entry) or os.curdir, os.path.basename(entry))
    if os.path.isdir(within := os.path.dirname(entry)):
        folder, entry = within, os.path.basename(entry)
    where = folder_of(folder, settings())
    names = names_in(where).entries
    found = [name for name in names if name.startswith(entry)]
    if len(found) == 1:
        return os.path.join(where, found[0])
    if found:
        longer = ", ".join(name[: len(entry) + _MORE] + "…" for name in found[:_FEW])
        more = f" and {len(found) - _FEW:,} more" if len(found) > _FEW else ""
        raise LoadError(f"{len(found):,} entries of {where} begin with {entry}", hint=f"{longer}{more}")
    near = get_close_matches(entry, names, n=_FEW, cutoff=0.3)
    hint = f"did you mean {', '.join(near)}?" if near else f"jitinspect cache ls --dir {where}"
    raise LoadError(f"no entry of {where} begins with {entry}, nor is that a file", hint=hint)


_FEW, _MORE = 3, 8
"""Names that are listed, and letters of them beyond what was typed."""


def verify_core(folder: str | None, chosen: Filter, timeout: float, output: OutputOptions) -> CacheReport:
    """Raises what `ls_core` does, and `UnavailableError` if JAX does not start."""
    from jitinspect.files.cache.listing import names_in
    from jitinspect.files.cache.verification import verified
    from jitinspect.files.guarded import Limits
    from jitinspect.jaxapi.keys.cache_settings import settings
    from jitinspect.model.cache import CacheReport

    where = folder_of(folder, settings())
    with progress(len(names_in(where).entries), output) as advance:
        cache = verified(where, chosen, Limits(seconds=timeout), advance)
    return CacheReport("cache verify", cache)


@contextmanager
def progress(total: int, output: OutputOptions) -> Iterator[Callable[[], None]]:
    """A bar on a terminal, which the yielded function moves by one entry."""
    if output.quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda: None
        return
    from jitinspect.render.progress import Bar

    bar = Bar(sys.stderr, total, streams.wants_color(output.color.value, sys.stderr))
    try:
        yield lambda: bar.advance(1)
    finally:
        bar.clear()


def require_sound(report: CacheReport, allow_foreign: bool) -> None:
    """Raises `CheckFailed` if JAX could not load an entry, but for one that may still be being written."""
    found = [entry for entry in report.cache.entries if entry.loadable is not True]
    wrong = [entry for entry in found if entry.state != "unfinished"]
    if allow_foreign:
        wrong = [entry for entry in wrong if entry.state != "sound"]
    if wrong:
        count = f"{len(wrong):,} of {report.cache.totals.entries:,} entries"
        raise CheckFailed(
            f"{count} cannot be loaded here",
            hint="jitinspect cache prune --damaged --foreign would remove them",
        )


def choice_of(filters: tuple[str, str, str], damaged: bool, foreign: bool, keep: str) -> Choice:
    """Raises `UsageError` for a time or a size that is none, or where nothing is chosen."""
    from jitinspect.files.cache.pruning import Choice

    if not (any(filters) or damaged or foreign or keep):
        raise UsageError(
            "cache prune: say which entries may go",
            hint="--older-than 30d, --keep 2GB, --damaged, --foreign, or --module '*' for all",
        )
    most = bytes_of("--keep", keep) if keep else None
    return Choice(filter_of(*filters), foreign, damaged, most)


def prune_core(folder: str | None, choice: Choice, remove: bool, output: OutputOptions) -> PruneReport:
    """Raises what `ls_core` does, and `UnavailableError` where a lock cannot be taken."""
    from jitinspect.files.cache.listing import names_in
    from jitinspect.files.cache.pruning import prune
    from jitinspect.jaxapi.keys.cache_settings import settings

    found = settings()
    where = folder_of(folder, found)
    with progress(len(names_in(where).entries), output) as advance:
        return prune(where, choice, remove, found.needs_filelock, advance)


def require_removed(report: PruneReport) -> None:
    """Raises `CheckFailed` if an entry could not be removed."""
    if failed := [entry for entry in report.pruned if entry.outcome == "failed"]:
        raise CheckFailed(f"{len(failed):,} entries could not be removed", hint=f"ls -l {report.folder}")


def stats_core(recordings: Sequence[str], folder: str | None) -> CacheStatsReport:
    """The folder is the one that is named, or else the one that the recorded programs used, if it is here.

    Raises `LoadError` for what is no recording, and for a named folder that cannot be listed.
    """
    from jitinspect.cli.run import decoded
    from jitinspect.programs.recording.cache_use import cache_use
    from jitinspect.programs.recording.reader import read
    from jitinspect.programs.recording.sources import sources

    found = [read(source, decoded) for source in sources(recordings)]
    used = {str(one.cache["folder"]) for one in found if one.cache}
    where = folder if folder is not None else used.pop() if len(used) == 1 else None
    if where is None or (folder is None and not os.path.isdir(where)):
        return cache_use(found)
    return cache_use(found, where, _sizes(where))


def _sizes(folder: str) -> dict[str, int]:
    """Of the files of entries."""
    from jitinspect.files.cache.listing import names_in

    sizes = {}
    for name in names_in(folder).entries:
        with suppress(OSError):
            sizes[name] = os.stat(f"{folder}/{name}").st_size
    return sizes


def folder_of(given: str | None, found: CacheSettings) -> str:
    """The folder that was named, or else JAX's. Raises `UsageError` if there is none."""
    if given is not None:
        return given
    if found.folder is None:
        raise UsageError(
            "no cache folder is set, so JAX keeps no compilations on disk",
            hint="--dir DIR, or for JAX as well: export JAX_COMPILATION_CACHE_DIR=DIR",
        )
    return found.folder


def notes_on(folder: str, found: CacheSettings) -> tuple[str, ...]:
    """What JAX does not say about the folder and the settings."""
    from jitinspect.jaxapi.keys.cache_notes import notes

    try:
        names = os.listdir(folder)
    except OSError:
        names = []
    return tuple(notes(folder, found, names))


def tell_notes(report: AnyCache, output: OutputOptions) -> None:
    """What JAX keeps to itself, on stderr below the table."""
    if output.quiet or output.as_json:
        return
    from jitinspect.cli.output import columns
    from jitinspect.render.text import DIM, Painter, hanging

    paint = Painter(streams.wants_color(output.color.value, sys.stderr))
    for note in report.notes:
        lines = hanging(f"note  {note}", columns(sys.stderr))
        sys.stderr.writelines(paint(line, DIM) + "\n" for line in lines)
