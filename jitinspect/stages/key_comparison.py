"""What differs between two cache keys, and why. Pure: it uses only what the keys contain."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import zip_longest

from jitinspect.model import CacheKey, Change, Comparison, DiskKey, KeyDifference, MemoryKey

COMPUTATION = "computation"
OPTIONS = "compile_options"
JAXLIB = "jax_lib version"
"""JAX's names of components. jaxlib serializes the others, so they may differ just because it does."""


def compare(old: CacheKey, new: CacheKey, file: str) -> Comparison:
    """`new` compared with `old`, the key saved in `file`. Keys that cannot be compared are not the same."""
    memory, disk = memory_changes(old.memory, new.memory), differences(old, new)
    known = old.disk is not None and new.disk is not None
    other_file = old.disk is not None and new.disk is not None and old.disk.key != new.disk.key
    same = known and not (memory or disk or other_file)
    return Comparison(file, same, memory, disk, known, other_file)


def differences(old: CacheKey, new: CacheKey) -> tuple[KeyDifference, ...]:
    """The components whose digests differ, in JAX's order, each with the inputs that changed."""
    if old.disk is None or new.disk is None:
        return ()
    before, now = old.disk.components, new.disk.components
    return tuple(
        KeyDifference(name, before.get(name), now.get(name), _why(name, old, new, old.disk, new.disk))
        for name in dict.fromkeys([*now, *before])
        if before.get(name) != now.get(name)
    )


def memory_changes(old: MemoryKey, new: MemoryKey) -> tuple[Change, ...]:
    """The differences that a look-up in memory would notice: not the file and line of the function."""
    return (
        *_changes({"function": _name(old)}, {"function": _name(new)}),
        *_argument_changes(old.args, new.args),
        *_value_changes(old, new),
    )


def _value_changes(old: MemoryKey, new: MemoryKey) -> tuple[Change, ...]:
    return (
        *_changes(_labelled("static", old.static), _labelled("static", new.static)),
        *_changes(_labelled("setting", old.context), _labelled("setting", new.context)),
    )


def _name(key: MemoryKey) -> str:
    return key.function.partition(" (")[0]


def _argument_changes(old: Iterable[str], new: Iterable[str]) -> Iterable[Change]:
    """Pairs by name if both have the same names, otherwise by position: a renamed argument is one change."""
    before, now = dict(map(_leaf, old)), dict(map(_leaf, new))
    if set(before) == set(now) or len(before) != len(now):
        return _changes(_labelled("argument", before), _labelled("argument", now))
    pairs = enumerate(zip_longest(before.items(), now.items()))
    return [Change(f"argument {place}", ": ".join(b), ": ".join(n)) for place, (b, n) in pairs if b != n]


def _leaf(text: str) -> tuple[str, str]:
    path, _, kind = text.rpartition(": ")
    return path, kind


def _labelled(label: str, values: Mapping[str, str]) -> dict[str, str]:
    return {f"{label} {name}": value for name, value in values.items()}


def _changes(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[Change, ...]:
    names = dict.fromkeys([*new, *old])
    return tuple(
        Change(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)
    )


def _why(component: str, old: CacheKey, new: CacheKey, before: DiskKey, now: DiskKey) -> tuple[Change, ...]:
    own = _inputs_changes(component, before, now)
    if component == COMPUTATION:
        return (*_typed(old.memory, new.memory), *own, *_in_the_program(old, new, before, now))
    placed = _placements(old.memory, new.memory) if component == OPTIONS else ()
    return (*placed, *own) or _inputs_changes(JAXLIB, before, now)


def _in_the_program(old: CacheKey, new: CacheKey, before: DiskKey, now: DiskKey) -> tuple[Change, ...]:
    """Changed constants and operations; none if the arguments changed, since they follow from that."""
    if _typed(old.memory, new.memory):
        return ()
    constants = _inputs_changes("constants", before, now)
    operations = _inputs_changes("operations", before, now)
    return (*_labels("constant", constants), *_labels("operations", operations))


def _inputs_changes(component: str, before: DiskKey, now: DiskKey) -> tuple[Change, ...]:
    return _changes(before.inputs.get(component, {}), now.inputs.get(component, {}))


def _typed(old: MemoryKey, new: MemoryKey) -> tuple[Change, ...]:
    """Changes in what is traced; the name of a function or argument alone changes no operation."""
    kinds_before, kinds_now = ([_leaf(text)[1] for text in key.args] for key in (old, new))
    return (
        *(_argument_changes(old.args, new.args) if kinds_before != kinds_now else ()),
        *_value_changes(old, new),
    )


def _placements(old: MemoryKey, new: MemoryKey) -> tuple[Change, ...]:
    changed = _argument_changes(old.args, new.args)
    return tuple(c for c in changed if _placement(c.before) != _placement(c.now))


def _placement(text: str | None) -> str:
    return (re.search(r"@.*", text or "") or [""])[0]


def _labels(label: str, changes: Iterable[Change]) -> tuple[Change, ...]:
    return tuple(Change(f"{label} {change.what}", change.before, change.now) for change in changes)
