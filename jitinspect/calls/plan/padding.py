"""Padding to fewer sizes: `--pad` and `--bucket`, applied to a call's specs."""

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
"""How many dimensions are remembered, for suggestions in an error."""
_FORM = re.compile(r"(?P<path>.+)\.(?P<axis>\d+)=(?P<sizes>.+)")


@dataclass(frozen=True, slots=True)
class Padding:
    """One dimension, `x.0`, and the size that it is padded to; a size larger than all buckets is kept."""

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
    """`x.0=32,64,128`: the smallest bucket that is large enough. Raises `UsageError`."""
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
    """Paddings, applied to call after call; one that no call needed is reported at the end."""

    def __init__(self, paddings: Iterable[Padding]) -> None:
        self.all = tuple(paddings)
        self._unmatched = {padding.text: padding for padding in self.all}
        self._dimensions: dict[str, None] = {}

    def apply(
        self, arguments: Sequence[Argument], signature: inspect.Signature | None
    ) -> tuple[tuple[Argument, ...], int, int]:
        """The arguments with the paddings applied, and the numbers of elements before and added.

        `signature` is that of the called function, where it is known.
        """
        paths = _paths(arguments, signature)
        elements = added = 0

        def leaf(spec: Spec, path: str) -> Spec:
            nonlocal elements, added
            if not isinstance(spec, ArraySpec | KeySpec):
                return _children(spec, path, leaf)
            padded = self._padded(spec, path)
            before = _elements(spec.shape)
            elements, added = elements + before, added + _elements(padded.shape) - before
            return padded

        padded_arguments = [
            Argument(argument.name, leaf(argument.spec, path))
            for argument, path in zip(arguments, paths, strict=True)
        ]
        return tuple(padded_arguments), elements, added

    def _padded(self, spec: ArraySpec | KeySpec, path: str) -> ArraySpec | KeySpec:
        if len(self._dimensions) < MOST_REMEMBERED:
            self._dimensions.update((f"{path}.{axis}", None) for axis in range(len(spec.shape)))
        for padding in self.all:
            if padding.path == path and padding.axis < len(spec.shape):
                self._unmatched.pop(padding.text, None)
                spec = replace(spec, shape=_padded(spec.shape, padding))
        return spec

    def unmatched(self) -> UsageError | None:
        """For a padding of a dimension that no call had, if there were calls; suggests the closest names."""
        if not self._unmatched or not self._dimensions:
            return None
        text, padding = next(iter(self._unmatched.items()))
        dimension = f"{padding.path}.{padding.axis}"
        near = get_close_matches(dimension, self._dimensions, n=3, cutoff=0.4) or list(self._dimensions)[:6]
        return UsageError(f"{text}: no call has a dimension {dimension}", hint=f"there is {', '.join(near)}")


def _paths(arguments: Sequence[Argument], signature: inspect.Signature | None) -> list[str]:
    """Each argument as reasons name it: `x`, `args[0]` of `*args`, `options['z']` of `**options`."""
    params = signature.parameters.values() if signature else ()
    names = [
        param.name for param in params if param.kind in (param.POSITIONAL_ONLY, param.POSITIONAL_OR_KEYWORD)
    ]
    variadic = next((param.name for param in params if param.kind is param.VAR_POSITIONAL), "args")
    keywords = next((param.name for param in params if param.kind is param.VAR_KEYWORD), None)
    known = {param.name for param in params}
    paths = []
    for index, argument in enumerate(arguments):
        if argument.name is None:
            is_named = index < len(names)
            paths.append(names[index] if is_named else f"{variadic}[{index - len(names)}]")
        else:
            is_named = keywords is None or argument.name in known
            paths.append(argument.name if is_named else f"{keywords}[{argument.name!r}]")
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


def _padded(shape: tuple[int | str, ...], padding: Padding) -> tuple[int | str, ...]:
    size = shape[padding.axis]
    if not isinstance(size, int):
        return shape
    return (*shape[: padding.axis], padding.size(size), *shape[padding.axis + 1 :])


def _elements(shape: tuple[int | str, ...]) -> int:
    return prod(size for size in shape if isinstance(size, int))
