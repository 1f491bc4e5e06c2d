"""`equinox.filter_jit` from inside: how it sorts a call's arguments, and which leaf is whose.

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
"""What the arrays of a module are told under that is itself the jitted function."""


class Parts(NamedTuple):
    """The arguments of equinox's own jit: leaves by part, and for each part its static leaves and tree."""

    donated: dict[str, tuple[Any, ...]]
    kept: dict[str, tuple[Any, ...]]
    static: tuple[tuple[tuple[Any, ...], Any], ...]


def parts(wrapper: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Parts:
    """As equinox sorts this call, each `ShapeDtypeStruct` moved from static to traced.

    equinox goes by "is it an array", which a `ShapeDtypeStruct` is not; so it would reach the user's
    function. Raises `UnavailableError` where the equinox that is here has no jit to ask.
    """
    if not (hasattr(wrapper, "_cached") and callable(getattr(wrapper, "lower", None))):
        message = "this equinox keeps the jit under filter_jit elsewhere"
        raise UnavailableError(message, hint="equinox 0.13 works")
    keeper = _Keeper()
    double = copy.copy(wrapper)
    object.__setattr__(double, "_cached", keeper)  # equinox modules are frozen
    double.lower(*args, **kwargs)
    return _shapes_as_arrays(keeper.given)


class _Keeper:
    """Stands in for the jit inside a `filter_jit`: asked to lower, it keeps what it is given."""

    given: Parts

    def lower(self, *given: Any) -> None:
        self.given = Parts(*given)


def _shapes_as_arrays(given: Parts) -> Parts:
    static = []
    for name, (leaves, tree) in zip(_NAMES, given.static, strict=True):
        shapes = [leaf if type(leaf).__name__ == "ShapeDtypeStruct" else None for leaf in leaves]
        owner = given.donated if name in given.donated else given.kept
        owner[name] = tuple(
            array if shape is None else shape for array, shape in zip(owner[name], shapes, strict=True)
        )
        kept = zip(leaves, shapes, strict=True)
        static.append((tuple(leaf if shape is None else None for leaf, shape in kept), tree))
    return Parts(given.donated, given.kept, tuple(static))


class Named(NamedTuple):
    """The user's names: of the arrays in the order in which JAX traces them, and of the static leaves."""

    arrays: tuple[str, ...]
    static: dict[str, Any]


def named(wrapper: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Named:
    """`x`, `model.layers[0].weight` by the parameters of the function under `wrapper`.

    The function itself is not among the static leaves, as far as it is no module.
    """
    given = parts(wrapper, args, kwargs)
    parameters = list(inspect.signature(wrapper).parameters.values())
    paths = {
        name: [_spoken(name, path, parameters) for path in _paths(given, name, *static)]
        for name, static in zip(_NAMES, given.static, strict=True)
    }
    arrays = [
        paths[name][index]
        for owner in (given.donated, given.kept)
        for name in sorted(owner)
        for index, leaf in enumerate(owner[name])
        if leaf is not None
    ]
    static = {
        path: leaf
        for name, (leaves, _) in zip(_NAMES, given.static, strict=True)
        for path, leaf in zip(paths[name], leaves, strict=True)
        if leaf is not None and path != _FUNCTION
    }
    return Named(tuple(arrays), static)


def _paths(given: Parts, name: str, static: tuple[Any, ...], tree: Any) -> Iterator[tuple[Any, ...]]:
    arrays = (given.donated if name in given.donated else given.kept)[name]
    leaves = [array if leaf is None else leaf for array, leaf in zip(arrays, static, strict=True)]
    whole = jax.tree_util.tree_unflatten(tree, leaves)
    return (path for path, _ in jax.tree_util.tree_flatten_with_path(whole)[0])


def _spoken(part: str, path: tuple[Any, ...], parameters: list[inspect.Parameter]) -> str:
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
    names = [one.name for one in parameters if one.kind in kinds]
    if index < len(names):
        return names[index]
    variadic = [one.name for one in parameters if one.kind is one.VAR_POSITIONAL] or ["args"]
    return f"{variadic[0]}[{index - len(names)}]"


def _keyword(name: str, parameters: list[inspect.Parameter]) -> str:
    variadic = [one.name for one in parameters if one.kind is one.VAR_KEYWORD]
    own = not variadic or any(one.name == name for one in parameters)
    return name if own else f"{variadic[0]}[{name!r}]"


def _text(path: Any) -> str:
    return jax.tree_util.keystr(tuple(path))
