"""Padding to fewer sizes: what `--pad` and `--bucket` ask for, applied to a call's specs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod

from jitinspect.errors import UsageError
from jitinspect.specs import Argument, ArraySpec, DictSpec, KeySpec, ListSpec, Spec, TupleSpec

_FORM = re.compile(r"(?P<path>.+)\.(?P<axis>\d+)=(?P<sizes>.+)")


@dataclass(frozen=True, slots=True)
class Padding:
    """One dimension, `x.0`, and the size that it is padded to; a size beyond all buckets stays as it is."""

    text: str
    path: str
    axis: int
    size: Callable[[int], int]


def parse_pad(text: str) -> Padding:
    """`x.0=pow2`, or `x.0=64` for the next multiple of 64. Raises `UsageError`."""
    path, axis, sizes = _parts("--pad", text, "x.0=pow2, or x.0=64 for multiples of 64")
    if sizes == "pow2":
        return Padding(text, path, axis, lambda size: 1 << max(0, size - 1).bit_length())
    if not sizes.isdecimal() or int(sizes) == 0:
        raise UsageError(f"--pad {text}: {sizes!r} is no padding", hint="x.0=pow2, or x.0=64")
    multiple = int(sizes)
    return Padding(text, path, axis, lambda size: -(-size // multiple) * multiple)


def parse_bucket(text: str) -> Padding:
    """`x.0=32,64,128`: the smallest of these that is large enough. Raises `UsageError`."""
    path, axis, sizes = _parts("--bucket", text, "x.0=32,64,128")
    words = [word.strip() for word in sizes.split(",")]
    if not all(word.isdecimal() for word in words):
        raise UsageError(f"--bucket {text}: buckets are whole numbers", hint="x.0=32,64,128")
    buckets = sorted(map(int, words))
    return Padding(text, path, axis, lambda size: next((b for b in buckets if b >= size), size))


def _parts(option: str, text: str, example: str) -> tuple[str, int, str]:
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{option} {text}: this is no dimension and its sizes", hint=f"{option} '{example}'")
    return match["path"], int(match["axis"]), match["sizes"].strip()


def padded(
    arguments: Sequence[Argument], names: Sequence[str], paddings: Iterable[Padding]
) -> tuple[tuple[Argument, ...], int, int]:
    """The arguments with the paddings applied, the elements given, and the elements added.

    `names` are the positional parameters.
    """
    by_path: dict[str, list[Padding]] = {}
    for padding in paddings:
        by_path.setdefault(padding.path, []).append(padding)
    given = added = 0

    def leaf(spec: Spec, path: str) -> Spec:
        nonlocal given, added
        if not isinstance(spec, ArraySpec | KeySpec):
            return _children(spec, path, leaf)
        before = _elements(spec.shape)
        for padding in by_path.get(path, ()):
            if padding.axis < len(spec.shape):
                spec = replace(spec, shape=_resized(spec.shape, padding))
        given, added = given + before, added + _elements(spec.shape) - before
        return spec

    told = []
    for index, argument in enumerate(arguments):
        name = argument.name or (names[index] if index < len(names) else f"args[{index}]")
        told.append(Argument(argument.name, leaf(argument.spec, name)))
    return tuple(told), given, added


def _children(spec: Spec, path: str, leaf: Callable[[Spec, str], Spec]) -> Spec:
    match spec:
        case DictSpec(items):
            return DictSpec(tuple((key, leaf(item, f"{path}[{key!r}]")) for key, item in items))
        case ListSpec(items):
            return ListSpec(tuple(leaf(item, f"{path}[{index}]") for index, item in enumerate(items)))
        case TupleSpec(items):
            return TupleSpec(tuple(leaf(item, f"{path}[{index}]") for index, item in enumerate(items)))
    return spec


def _resized(shape: tuple[int | str, ...], padding: Padding) -> tuple[int | str, ...]:
    size = shape[padding.axis]
    if not isinstance(size, int):
        return shape
    return (*shape[: padding.axis], padding.size(size), *shape[padding.axis + 1 :])


def _elements(shape: tuple[int | str, ...]) -> int:
    return prod(size for size in shape if isinstance(size, int))
