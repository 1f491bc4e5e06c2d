"""`equinox.filter_jit` from the inside: how it sorts a call's arguments, and which leaf belongs to which.

equinox splits the function, the first argument and all others into arrays, which its one `jax.jit` traces,
and the rest, which is static (`_preprocess` of equinox/_jit.py). Seen on equinox 0.13.8.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import jax

from jitinspect.errors import UnavailableError

_NAMES = ("fun", "first", "rest")
_FUNCTION = "self"
"""The name for the arrays of a module that is itself the jitted function."""


class Parts(NamedTuple):
    """The arguments of equinox's own jit: leaves by part, and for each part its static leaves and tree."""

    donated: dict[str, tuple[Any, ...]]
    kept: dict[str, tuple[Any, ...]]
    static: tuple[tuple[tuple[Any, ...], Any], ...]


def parts(wrapper: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Parts:
    """The arguments of this call as equinox sorts them, with each `ShapeDtypeStruct` among the traced ones.

    equinox checks "is it an array", which a `ShapeDtypeStruct` is not; it would otherwise reach the user's
    function as it is. Raises `UnavailableError` if this equinox keeps its jit elsewhere.
    """
    if not (hasattr(wrapper, "_cached") and callable(getattr(wrapper, "lower", None))):
        message = "this equinox keeps the jit under filter_jit elsewhere"
        raise UnavailableError(message, hint="equinox 0.13 works")
    keeper = _ArgumentKeeper()
    copied = copy.copy(wrapper)
    object.__setattr__(copied, "_cached", keeper)  # equinox modules are frozen
    copied.lower(*args, **kwargs)
    return _shapes_as_arrays(keeper.parts)


class _ArgumentKeeper:
    """Replaces the jit inside a `filter_jit`: its `lower` just keeps the arguments."""

    parts: Parts

    def lower(self, *parts: Any) -> None:
        self.parts = Parts(*parts)


def _shapes_as_arrays(split: Parts) -> Parts:
    static = []
    for name, (leaves, tree) in zip(_NAMES, split.static, strict=True):
        shapes = [leaf if type(leaf).__name__ == "ShapeDtypeStruct" else None for leaf in leaves]
        owner = split.donated if name in split.donated else split.kept
        owner[name] = tuple(
            array if shape is None else shape for array, shape in zip(owner[name], shapes, strict=True)
        )
        kept = zip(leaves, shapes, strict=True)
        static.append((tuple(leaf if shape is None else None for leaf, shape in kept), tree))
    return Parts(split.donated, split.kept, tuple(static))


class LeafNames(NamedTuple):
    """The user's names: for the arrays in the order in which JAX traces them, and for the static leaves."""

    arrays: tuple[str, ...]
    static: dict[str, Any]


def leaf_names(wrapper: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> LeafNames:
    """`x`, `model.layers[0].weight` by the parameters of the function under `wrapper`.

    The function itself is not among the static leaves, unless it is a module.
    """
    split = parts(wrapper, args, kwargs)
    parameters = list(inspect.signature(wrapper).parameters.values())
    paths = {
        name: [_leaf_path(name, path, parameters) for path in _paths(split, name, *static)]
        for name, static in zip(_NAMES, split.static, strict=True)
    }
    arrays = [
        paths[name][index]
        for owner in (split.donated, split.kept)
        for name in sorted(owner)
        for index, leaf in enumerate(owner[name])
        if leaf is not None
    ]
    static = {
        path: leaf
        for name, (leaves, _) in zip(_NAMES, split.static, strict=True)
        for path, leaf in zip(paths[name], leaves, strict=True)
        if leaf is not None and path != _FUNCTION
    }
    return LeafNames(tuple(arrays), static)


def _paths(split: Parts, name: str, static: tuple[Any, ...], tree: Any) -> Iterator[tuple[Any, ...]]:
    arrays = (split.donated if name in split.donated else split.kept)[name]
    leaves = [array if leaf is None else leaf for array, leaf in zip(arrays, static, strict=True)]
    value = jax.tree_util.tree_unflatten(tree, leaves)
    return (path for path, _ in jax.tree_util.tree_flatten_with_path(value)[0])


def _leaf_path(part: str, path: tuple[Any, ...], parameters: list[inspect.Parameter]) -> str:
    """equinox's parts are the function, the first positional argument, and `(others, keywords)`."""
    if part == "fun":
        return _FUNCTION + _text(path).removeprefix(".__self__")  # of a bound method
    if part == "first":
        return _positional(0, parameters) + _text(path)
    kind, key, *below = path
    name = _positional(key.idx + 1, parameters) if kind.idx == 0 else _keyword(key.key, parameters)
    return name + _text(below)


def _positional(index: int, parameters: list[inspect.Parameter]) -> str:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [parameter.name for parameter in parameters if parameter.kind in kinds]
    if index < len(names):
        return names[index]
    variadic = [parameter.name for parameter in parameters if parameter.kind is parameter.VAR_POSITIONAL] or [
        "args"
    ]
    return f"{variadic[0]}[{index - len(names)}]"


def _keyword(name: str, parameters: list[inspect.Parameter]) -> str:
    variadic = [parameter.name for parameter in parameters if parameter.kind is parameter.VAR_KEYWORD]
    is_parameter = not variadic or any(parameter.name == name for parameter in parameters)
    return name if is_parameter else f"{variadic[0]}[{name!r}]"


def _text(path: Any) -> str:
    return jax.tree_util.keystr(tuple(path))
