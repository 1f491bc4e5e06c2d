"""The tree of an argument, as JAX sees it: each node by its path, and the paths of the leaves."""

from __future__ import annotations

import re
from typing import Any

import jax

from jitinspect.calls.explain import Node
from jitinspect.calls.explain.modules import is_graph
from jitinspect.jaxapi.jits.argument_names import FOLLOWS, module_paths
from jitinspect.jaxapi.jits.snapshots import snapshot

_tree = jax.tree_util


def nodes(value: Any, tree: Any) -> tuple[list[tuple[str, Node]], list[str]]:
    """The nodes by path, `("['w']", Node(None, ()))` for a leaf, and the paths of the leaves in order.

    `tree` is the structure of `value`. Paths are those of `jax.tree_util.keystr`; the children of a custom
    node without names are numbered, and the variables of a flax module have the user's names.
    """
    keyed = [path for path, _ in _tree.tree_flatten_with_path(value)[0]]
    found: list[tuple[str, Node]] = []
    _walk(tree, "", 0, keyed, found)
    paths = [_text(path) for path in keyed]
    if not any(is_graph(node.type) for _, node in found):
        return found, paths
    names = module_paths(value)
    kept = [(_renamed(path, names), node) for path, node in found if names.get(path) != FOLLOWS]
    return kept, [_renamed(path, names) for path in paths]


_STATE = re.compile(r"(.*?\.states\[\d+\]\[\d+\])(.*)")


def _renamed(path: str, names: dict[str, str]) -> str:
    """The user's path instead of flax's, for what is below a module."""
    match = _STATE.fullmatch(path)
    return names[match[1]] + match[2] if match and match[1] in names else path


def _walk(tree: Any, path: str, depth: int, keyed: list[Any], found: list[tuple[str, Node]]) -> None:
    """`keyed` are the key paths of the leaves below this node."""
    data = tree.node_data()
    if data is None:  # a leaf, or None
        found.append((path, Node(type(None) if tree.num_leaves == 0 else None, ())))
        return
    children = tree.children()
    found.append((path, _node(data, children, keyed, depth)))
    first = 0
    for index, child in enumerate(children):
        below = keyed[first : first + child.num_leaves]
        first += child.num_leaves
        key = _text(below[0][depth : depth + 1]) if below else _empty_key(data, index)
        _walk(child, path + key, depth + 1, below, found)


def _node(data: Any, children: list[Any], keyed: list[Any], depth: int) -> Node:
    kind, aux = data
    if kind in (list, tuple):
        return Node(kind, len(children))
    if issubclass(kind, dict):
        return Node(kind, _dict_keys(aux, len(children)))
    if hasattr(kind, "_fields"):
        return Node(kind, tuple(kind._fields))
    return Node(kind, len(children), aux, snapshot(aux))


def _dict_keys(aux: Any, count: int) -> tuple[Any, ...]:
    """The aux data of a dict are its keys; those of a defaultdict are its factory and its keys."""
    keys = aux[1] if isinstance(aux, tuple) and len(aux) == 2 and isinstance(aux[1], list | tuple) else aux
    return tuple(keys) if len(keys) == count else (count,)


def _empty_key(data: Any, index: int) -> str:
    kind, aux = data
    if issubclass(kind, dict):
        return f"[{list(aux)[index]!r}]"
    if hasattr(kind, "_fields"):
        return f".{kind._fields[index]}"
    return f"[{index}]"


def _text(path: Any) -> str:
    """JAX's own text, except for custom nodes without names, which it writes `[<flat index 0>]`."""
    flat = _tree.FlattenedIndexKey
    return "".join(f"[{key.key}]" if isinstance(key, flat) else _tree.keystr((key,)) for key in path)
