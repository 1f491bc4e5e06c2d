"""Padding to fewer sizes: what `--pad` and `--bucket` ask for, applied to a call's specs."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from math import prod

from jitinspect.errors import UsageError
from jitinspect.specs import Argument, ArraySpec, DictSpec, KeySpec, ListSpec, Spec, TupleSpec

MOST_REMEMBERED = 1_000
"""Dimensions that are remembered, to name the nearest of."""
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
        raise UsageError(f"--pad {text}: {sizes!r} is not a padding", hint="x.0=pow2, or x.0=64")
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
        raise UsageError(f"{option} {text}: expected a dimension and its sizes", hint=f"{option} '{example}'")
    return match["path"], int(match["axis"]), match["sizes"].strip()


class Paddings:
    """Paddings, applied to call after call; what of them no call has is told at the end."""

    def __init__(self, paddings: Iterable[Padding]) -> None:
        self.all = tuple(paddings)
        self._unmet = {padding.text: padding for padding in self.all}
        self._dimensions: dict[str, None] = {}

    def apply(
        self, arguments: Sequence[Argument], signature: inspect.Signature | None
    ) -> tuple[tuple[Argument, ...], int, int]:
        """The arguments with the paddings applied, the elements given, and the elements added.

        `signature` is that of what is called, where it is known.
        """
        paths = _paths(arguments, signature)
        given = added = 0

        def leaf(spec: Spec, path: str) -> Spec:
            nonlocal given, added
            if not isinstance(spec, ArraySpec | KeySpec):
                return _children(spec, path, leaf)
            padded = self._resized(spec, path)
            before = _elements(spec.shape)
            given, added = given + before, added + _elements(padded.shape) - before
            return padded

        told = [
            Argument(argument.name, leaf(argument.spec, path))
            for argument, path in zip(arguments, paths, strict=True)
        ]
        return tuple(told), given, added

    def _resized(self, spec: ArraySpec | KeySpec, path: str) -> ArraySpec | KeySpec:
        if len(self._dimensions) < MOST_REMEMBERED:
            self._dimensions.update((f"{path}.{axis}", None) for axis in range(len(spec.shape)))
        for padding in self.all:
            if padding.path == path and padding.axis < len(spec.shape):
                self._unmet.pop(padding.text, None)
                spec = replace(spec, shape=_resized(spec.shape, padding))
        return spec

    def unmet(self) -> UsageError | None:
        """For a padding of a dimension that no call had, though there were calls; the nearest ones named."""
        if not self._unmet or not self._dimensions:
            return None
        text, padding = next(iter(self._unmet.items()))
        dimension = f"{padding.path}.{padding.axis}"
        near = get_close_matches(dimension, self._dimensions, n=3, cutoff=0.4) or list(self._dimensions)[:6]
        return UsageError(f"{text}: no call has a dimension {dimension}", hint=f"there is {', '.join(near)}")


def _paths(arguments: Sequence[Argument], signature: inspect.Signature | None) -> list[str]:
    """Each argument as reasons name it: `x`, `args[0]` of `*args`, `options['z']` of `**options`."""
    parameters = signature.parameters.values() if signature else ()
    names = [one.name for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    variadic = next((one.name for one in parameters if one.kind is one.VAR_POSITIONAL), "args")
    keywords = next((one.name for one in parameters if one.kind is one.VAR_KEYWORD), None)
    known = {one.name for one in parameters}
    paths = []
    for index, argument in enumerate(arguments):
        if argument.name is None:
            own = index < len(names)
            paths.append(names[index] if own else f"{variadic}[{index - len(names)}]")
        else:
            own = keywords is None or argument.name in known
            paths.append(argument.name if own else f"{keywords}[{argument.name!r}]")
    return paths


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
