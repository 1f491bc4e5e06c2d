"""Recordings → what their programs found in the cache folder, and wrote to it, added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from jitinspect.model.cache_stats import CacheStatsReport, CacheUse, EntryUse, FunctionUse
from jitinspect.model.runs import HIT, WRITTEN, Compilation, DiskLookup
from jitinspect.programs.recording.reader import Recording

_SUFFIX, _KEY = "-cache", 64


class _Of(NamedTuple):
    function: str
    definition: str | None
    module: str
    internal: bool


@dataclass(slots=True)
class _Sums:
    """`seconds` are those of each entry's compilation, as far as a recording has one."""

    seconds: Mapping[str, float]
    total: CacheUse = CacheUse()  # noqa: RUF009 (it is frozen)
    functions: dict[_Of, CacheUse] = field(default_factory=dict)
    entries: dict[str, CacheUse] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    not_written: Counter[str] = field(default_factory=Counter)
    unnamed: int = 0

    def take(self, compilation: Compilation, lookup: DiskLookup) -> None:
        use = _use(lookup, self.seconds)
        module = module_of(lookup.entry)
        internal = compilation.kind == "internal"
        of = _Of(compilation.function, compilation.definition, module, internal)
        self.total = _sum(self.total, use)
        self.functions[of] = _sum(self.functions.get(of, CacheUse()), use)
        if lookup.outcome not in (HIT, WRITTEN):
            self.not_written[lookup.outcome] += 1
        if lookup.entry:
            self.entries[lookup.entry] = _sum(self.entries.get(lookup.entry, CacheUse()), use)
            self.outcomes[lookup.entry] = lookup.outcome
        else:
            self.unnamed += 1


def cache_use(
    recordings: Sequence[Recording], folder: str | None = None, sizes: Mapping[str, int] | None = None
) -> CacheStatsReport:
    """`sizes` are the bytes of the entries, by file, that the `folder` has now; None if there is none."""
    lookups = [pair for recording in recordings for pair in _lookups(recording.compilations)]
    sums = _Sums(_compile_seconds(lookup for _, lookup in lookups))
    for compilation, lookup in lookups:
        sums.take(compilation, lookup)
    functions = [FunctionUse(*of[:3], use, of.internal) for of, use in sums.functions.items()]
    entries = [
        EntryUse(file, module_of(file), use, sums.outcomes[file], *_found(file, sizes))
        for file, use in sums.entries.items()
    ]
    unused = None if sizes is None else [size for file, size in sizes.items() if file not in sums.entries]
    return CacheStatsReport(
        "cache stats",
        tuple(recording.file for recording in recordings),
        sums.total,
        tuple(sorted(functions, key=lambda one: -_weight(one.use))),
        tuple(sorted(entries, key=lambda one: -_weight(one.use))),
        dict(sums.not_written.most_common()),
        tuple(dict.fromkeys(str(one.cache["folder"]) for one in recordings if one.cache)),
        folder,
        None if unused is None else len(unused),
        None if unused is None else sum(unused),
        sums.unnamed,
        tuple(dict.fromkeys(note for one in recordings for note in one.cache.get("notes", ()))),
    )


def module_of(file: str) -> str:
    """`jit_step` of `jit_step-<key>-cache`; empty if there is no file."""
    return file.removesuffix(_SUFFIX)[: -_KEY - 1]


def _lookups(compilations: Iterable[Compilation]) -> Iterator[tuple[Compilation, DiskLookup]]:
    """Recordings of before have no names of entries, but tell what became of each compilation."""
    for compilation in compilations:
        for lookup in compilation.lookups or _unnamed(compilation):
            yield compilation, lookup


def _unnamed(compilation: Compilation) -> Iterator[DiskLookup]:
    if compilation.status == "DISK":
        yield DiskLookup("", HIT)
    share = compilation.seconds.get("compile", 0.0) / max(len(compilation.disk), 1)
    yield from (DiskLookup("", outcome, share) for outcome in compilation.disk)


def _compile_seconds(lookups: Iterable[DiskLookup]) -> dict[str, float]:
    """What an entry's compilation took, the mean of all recorded ones."""
    found: dict[str, list[float]] = {}
    for one in lookups:
        if one.outcome != HIT and one.entry and one.compile_seconds is not None:
            found.setdefault(one.entry, []).append(one.compile_seconds)
    return {entry: sum(seconds) / len(seconds) for entry, seconds in found.items()}


def _use(lookup: DiskLookup, known: Mapping[str, float]) -> CacheUse:
    taken = lookup.compile_seconds or 0.0
    if lookup.outcome == HIT:
        saved = known.get(lookup.entry, taken) - (lookup.read_seconds or 0.0)
        return CacheUse(hits=1, saved_seconds=saved, rounded=int(lookup.entry not in known))
    is_written = lookup.outcome == WRITTEN
    return CacheUse(0, 1, int(is_written), 0.0, taken, 0.0 if is_written else taken)


def _sum(one: CacheUse, other: CacheUse) -> CacheUse:
    return replace(
        one,
        hits=one.hits + other.hits,
        misses=one.misses + other.misses,
        written=one.written + other.written,
        saved_seconds=one.saved_seconds + other.saved_seconds,
        compile_seconds=one.compile_seconds + other.compile_seconds,
        lost_seconds=one.lost_seconds + other.lost_seconds,
        rounded=one.rounded + other.rounded,
    )


def _weight(use: CacheUse) -> float:
    return abs(use.saved_seconds) + use.compile_seconds


def _found(file: str, sizes: Mapping[str, int] | None) -> tuple[bool | None, int | None]:
    return (None, None) if sizes is None else (file in sizes, sizes.get(file))
