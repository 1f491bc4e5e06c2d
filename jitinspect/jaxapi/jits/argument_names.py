"""The user's names for what JAX traces: libraries put a jit's arguments into trees of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax

from jitinspect.jaxapi.keys.computation import debug_info

_MODULE_TYPE = "NodeStates"
"""flax's type for a module among the arguments of `nnx.jit`."""
FOLLOWS = ""
"""Instead of a name, where a part of a module's tree follows from flax's description of the module."""


def argument_names(traced: jax.stages.Traced, known: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The path of each argument's leaf by parameter name (`params['w']`), or its index if JAX has no name.

    `known` are better names that the caller has; they are used if there is one for each leaf.
    """
    count = len(traced.jaxpr.in_avals)
    if len(known) == count:
        return known
    names = getattr(debug_info(traced), "arg_names", None) or ()
    if len(names) != count:
        return tuple(f"[{index}]" for index in range(count))
    return tuple(with_modules(traced.args_info, [name or f"[{index}]" for index, name in enumerate(names)]))


def with_modules(tree: Any, names: list[str]) -> list[str]:
    """The names of the leaves of `tree`, with `model.weight` instead of flax's `model.states[0][0]` (flax
    0.12.8 and 0.12.12).
    """
    entries = jax.tree_util.tree_leaves(tree, is_leaf=_is_module)
    if not any(map(_is_module, entries)):
        return names
    rest = iter(names)
    renamed: list[str] = []
    for entry in entries:
        leaf_names = [next(rest, "") for _ in jax.tree_util.tree_leaves(entry)]
        renamed += _of_module(entry, leaf_names) if _is_module(entry) else leaf_names
    return renamed if len(renamed) == len(names) else names


def module_paths(value: Any) -> dict[str, str]:
    """For each variable of the modules in `value`: JAX's path → that of the user, `.states[0][2]` → `.h`. The
    containers of the states have no name of the user's, but `FOLLOWS`.
    """
    found: dict[str, str] = {}
    for path, module in jax.tree_util.tree_flatten_with_path(value, is_leaf=_is_module)[0]:
        if not _is_module(module):
            continue
        above = jax.tree_util.keystr(path)
        listed = [
            f"{above}.states[{index}][{number}]"
            for index, state in enumerate(module.states)
            if isinstance(state, list)
            for number in range(len(state))
        ]
        renamed = _of_module(module, listed)
        if renamed != listed:
            found |= dict(zip(listed, renamed, strict=True))
            containers = ("", *(f"[{index}]" for index in range(len(module.states))))
            found |= {f"{above}.states{index}": FOLLOWS for index in containers}
    return found


def _is_module(value: Any) -> bool:
    return type(value).__name__ == _MODULE_TYPE and type(value).__module__.startswith("flax.")


def _of_module(states: Any, names: list[str]) -> list[str]:
    try:
        graph = states.graphdef
        paths = list(_variables(iter(graph.nodes), iter(graph.attributes)))
    except (AttributeError, StopIteration, RuntimeError, ValueError):  # this flax stores them differently
        return names
    if len(paths) != len(names):
        return names
    prefixes = (name.rpartition(".states[")[0] for name in names)
    return [prefix + path for prefix, path in zip(prefixes, paths, strict=True)]


def _variables(nodes: Iterator[Any], attributes: Iterator[tuple[Any, Any]]) -> Iterator[str]:
    """The path of each leaf below the next node; flax lists nodes, and their attributes, depth first.

    If a node occurs twice, the second occurrence is a `NodeRef`, without a leaf.
    """
    node = next(nodes)
    if (count := getattr(node, "num_attributes", None)) is None:
        yield from () if type(node).__name__ == "NodeRef" else ("",)
        return
    for _ in range(count):
        key, kind = next(attributes)
        text = f".{key}" if isinstance(key, str) else f"[{key!r}]"
        if type(kind).__name__ == "NodeAttr":
            yield from (text + below for below in _variables(nodes, attributes))
        elif type(kind).__name__ != "Static":
            yield text
