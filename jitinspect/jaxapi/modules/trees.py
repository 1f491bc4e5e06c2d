"""The paths of a module's arguments → the tree that they were in, so that they get the same names again.

JAX writes `params['w']`, `layers[0].bias`: an argument's name, and the keys below it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import Any

import jax

_ROOT = re.compile(r"[A-Za-z_]\w*")
_STEP = re.compile(r"\[('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|-?\d+)\]|\.(\w+)")

Step = tuple[str, Any]
"""`("[]", key)`, or `(".", attribute)`."""


class Held:
    """A node of a tree whose type is not known, with its keys as they are written."""

    def __init__(self, keys: Sequence[str], children: Sequence[Any]) -> None:
        self.keys, self.children = tuple(keys), tuple(children)

    def __repr__(self) -> str:
        return (
            f"{{{', '.join(f'{key}: {child}' for key, child in zip(self.keys, self.children, strict=True))}}}"
        )


class _Key:
    """A key that prints as it was written."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text


jax.tree_util.register_pytree_with_keys(
    Held,
    lambda node: (
        [(_Key(key), child) for key, child in zip(node.keys, node.children, strict=True)],
        node.keys,
    ),
    lambda keys, children: Held(keys, tuple(children)),
)


def arguments(names: Sequence[str | None], leaves: Sequence[Any]) -> dict[str, Any]:
    """The arguments by their names, each a tree of the `leaves`. What has no name is `arg0`, as in MLIR.

    A list is taken for a tuple, and what is missing in one for None: the paths are the same.
    """
    paths = [_path(name) or (f"arg{at}", name or "") for at, name in enumerate(names)]
    below: dict[str, list[tuple[str, Any]]] = {}
    for (root, rest), leaf in zip(paths, leaves, strict=True):
        below.setdefault(root, []).append((rest, leaf))
    made = {root: _tree(found) for root, found in below.items()}
    in_order = [leaf for tree in made.values() for leaf in jax.tree.leaves(tree)]
    if len(in_order) == len(leaves) and all(map(_is_same, in_order, leaves)):
        return made
    return {f"arg{at}": leaf for at, leaf in enumerate(leaves)}


def _is_same(one: Any, other: Any) -> bool:
    return one is other


def _path(name: str | None) -> tuple[str, str] | None:
    """The argument's name, and what is below it."""
    root = _ROOT.match(name or "")
    return (root[0], (name or "")[root.end() :]) if root else None


def _tree(found: Sequence[tuple[str, Any]]) -> Any:
    """A tree with these leaves; flat, with the keys as they are written, where these are not known ones, or
    would be in another order.
    """
    if len(found) == 1 and not found[0][0]:
        return found[0][1]
    steps = [_steps(rest) for rest, _ in found]
    leaves = [leaf for _, leaf in found]
    if all(steps):
        tree = _nested([(one, leaf) for one, leaf in zip(steps, leaves, strict=True) if one])
        flat = jax.tree.leaves(tree)
        if len(flat) == len(leaves) and all(map(_is_same, flat, leaves)):
            return tree
    return Held([rest for rest, _ in found], leaves)


def _steps(rest: str) -> list[Step] | None:
    found, at = [], 0
    while at < len(rest):
        step = _STEP.match(rest, at)
        if step is None:
            return None
        found.append(("[]", ast.literal_eval(step[1])) if step[1] else (".", step[2]))
        at = step.end()
    return found


def _nested(found: Sequence[tuple[list[Step], Any]]) -> Any:
    if len(found) == 1 and not found[0][0]:
        return found[0][1]
    below: dict[Step, list[tuple[list[Step], Any]]] = {}
    for steps, leaf in found:
        if not steps:  # a leaf that is a node as well
            return Held([str(steps) for steps, _ in found], [leaf for _, leaf in found])
        below.setdefault(steps[0], []).append((steps[1:], leaf))
    made = {key: _nested(inner) for (_, key), inner in below.items()}
    kinds = {kind for kind, _ in below}
    if kinds == {"."}:
        return Held([f".{key}" for key in made], list(made.values()))
    if kinds == {"[]"} and all(isinstance(key, int) and key >= 0 for key in made):
        return tuple(made.get(at) for at in range(max(made) + 1))
    return made if kinds == {"[]"} else Held([_written(step) for step in below], list(made.values()))


def _written(step: Step) -> str:
    kind, key = step
    return f".{key}" if kind == "." else f"[{key!r}]"
