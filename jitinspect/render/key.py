"""A cache key as text: first what differs from a saved one, then both keys, component by component."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from jitinspect.model import CacheKey, Change, Comparison, DiskEntry, DiskKey, KeyDifference
from jitinspect.render.text import shown_path

SHORT = 12
"""Characters shown of a digest, unless verbose."""
_MOST_NAMED = 3
_MOST_ARGUMENTS = 40
"""With more arrays than this, those of each parameter are only counted, unless verbose."""
_NOTHING = hashlib.sha256(b"").hexdigest()
_BOLD, _DIM, _CHANGED = "1", "2", "33"

Row = tuple[str, ...]


def key_text(key: CacheKey, color: bool, verbose: bool = False) -> Iterator[str]:
    """Both keys of one call; `verbose` shows whole digests, and everything that was hashed."""
    yield from _lines([_paint("in memory", _BOLD, color), *_indented(_aligned(_memory(key, verbose)))])
    yield "\n"
    if key.disk is None:
        yield from _lines([_paint("on disk", _BOLD, color), f"  not available: {key.unavailable}"])
        return
    title = _paint("on disk", _BOLD, color) + f"  {key.disk.key}-cache"
    yield from _lines([title, *_indented(_aligned(_components(key.disk, verbose)))])
    if verbose:
        yield from _lines(_indented(_made_of(key.disk.inputs)))
    if key.disk.entry is not None:
        yield from _lines(["", *_entry(key.disk.entry, color)])


def comparison_text(found: Comparison, color: bool, verbose: bool = False) -> Iterator[str]:
    """What differs, and why."""
    title = f"against {shown_path(found.file)}"
    if found.same:
        yield f"{_paint(title, _BOLD, color)}: the same key\n\n"
        return
    yield f"{_paint(title, _BOLD, color)}: {_verdict(found)}\n"
    for difference in found.disk:
        yield from _difference(difference, color, verbose)
    if found.memory:
        yield from _lines([_paint("  in memory", _CHANGED, color), *_indented(_changes(found.memory), 4)])
    yield "\n"


def _verdict(found: Comparison) -> str:
    """The result for the key on disk, and for the one in memory if the first is the same."""
    if not found.disk_known:
        memory = "different key" if found.memory else "same key"
        return f"the keys on disk cannot be compared: one is missing; {memory} in memory"
    if names := ", ".join(difference.component for difference in found.disk):
        return f"the key on disk differs in {names}"
    if found.other_file:
        return "the key on disk differs, though none of its components do: was the saved key edited?"
    return "same key on disk, different key in memory"


def _difference(difference: KeyDifference, color: bool, verbose: bool) -> Iterator[str]:
    before, now = (_digest(digest, verbose) for digest in (difference.before, difference.now))
    yield f"{_paint('  ' + difference.component, _CHANGED, color)}  {before} → {now}\n"
    unknown = ["unknown cause: nothing recorded about it differs"]
    yield from _lines(_indented(_changes(difference.why) or unknown, 4))


def _changes(changes: Iterable[Change]) -> list[str]:
    return _aligned([(change.what, f"{_shown(change.before)} → {_shown(change.now)}") for change in changes])


def _shown(value: str | None) -> str:
    return "none" if value is None else value or "''"


def _memory(key: CacheKey, verbose: bool) -> list[Row]:
    name, _, where = key.memory.function.partition(" (")
    rows: list[Row] = [("function", name + (f" ({shown_path(where)}" if where else ""))]
    rows += [("argument", text) for text in _arguments(key.memory.args, verbose)]
    rows += [("static", f"{name} = {value}") for name, value in key.memory.static.items()]
    rows += [("setting", f"{name} = {value}") for name, value in key.memory.context.items()]
    return rows


def _arguments(args: tuple[str, ...], verbose: bool) -> Iterator[str]:
    """One line each; the hundreds of a model would hide the rest of the key."""
    if verbose or len(args) <= _MOST_ARGUMENTS:
        yield from args
        return
    for name, texts in groupby(args, lambda text: re.split(r"[.\[:]", text, maxsplit=1)[0]):
        together = list(texts)
        alone = len(together) == 1
        yield together[0] if alone else f"{name}: {len(together)} arrays (-v lists them)"


def _components(disk: DiskKey, verbose: bool) -> list[Row]:
    return [
        (name, _digest(digest, verbose), "" if verbose else _summary(name, digest, disk))
        for name, digest in disk.components.items()
    ]


def _digest(digest: str | None, verbose: bool) -> str:
    return "none" if digest is None else digest if verbose else digest[:SHORT]


def _summary(component: str, digest: str, disk: DiskKey) -> str:
    """What was hashed for the component, in a few words."""
    if digest == _NOTHING:
        return "none"
    made_of = {name: value for name, value in disk.inputs.get(component, {}).items() if value}
    if component == "computation" and made_of:
        counts = disk.inputs.get("operations", {}).values()
        count = sum(int(text) for text in counts if text.isdecimal())
        return f"{made_of.get('module')}: {count} operations"
    if len(made_of) > _MOST_NAMED:
        return f"{len(made_of)} options"
    return ", ".join(f"{name} {value}" for name, value in made_of.items())


def _made_of(inputs: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    for component, values in inputs.items():
        if values:
            yield ""
            yield f"{component} is made of"
            yield from _indented(_aligned([(name, _shown(value)) for name, value in values.items()]))


def _entry(entry: DiskEntry, color: bool) -> Iterator[str]:
    title = _paint("in the cache folder", _BOLD, color) + (f"  {entry.folder}" if entry.folder else "")
    yield title
    if entry.present:
        yield f"  found: {entry.bytes} bytes, written {entry.written}"
    else:
        yield (
            "  not found" if entry.present is False else "  not checked: the folder is not on this machine"
        )
    if entry.obstacles:
        yield "  JAX would write it:" if _conditions(entry) else "  JAX would not write it:"
    yield from _indented(entry.obstacles, 4)


def _conditions(entry: DiskEntry) -> bool:
    return all(text.startswith("only if") for text in entry.obstacles)


def _aligned(rows: list[Row]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _indented(lines: Iterable[str], by: int = 2) -> Iterator[str]:
    return (" " * by + line if line else "" for line in lines)


def _lines(lines: Iterable[str]) -> Iterator[str]:
    return (f"{line}\n" for line in lines)


def _paint(text: str, sgr: str, color: bool) -> str:
    return f"\x1b[{sgr}m{text}\x1b[0m" if color else text
