"""flax's description of a module (`nnx.GraphDef`, flax 0.12): its attributes by path, and what appeared among
them.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jitinspect.process.paths import relative


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: `type` is that of a variable or submodule, else `value` holds a static value. `owner` is
    the class of the module that has it.
    """

    name: str
    type: Any
    value: Any
    owner: Any


def is_graph(cls: type | None) -> bool:
    """Whether `cls` is flax's description of a module."""
    return cls is not None and cls.__name__ == "GraphDef" and cls.__module__.startswith("flax.")


def attributes(graph: Any) -> dict[str, Attribute]:
    """By path, such as `.encoder.dropout.rate`: flax lists nodes, and the attributes of each, depth first.
    Empty for a flax that stores them in another way.
    """
    nodes = iter(getattr(graph, "nodes", ()))
    try:
        return dict(_below(next(nodes), nodes, iter(graph.attributes), ""))
    except (AttributeError, StopIteration, RuntimeError, TypeError, ValueError):
        return {}


def _below(
    node: Any, nodes: Iterator[Any], entries: Iterator[Any], path: str
) -> Iterator[tuple[str, Attribute]]:
    for _ in range(getattr(node, "num_attributes", 0)):
        key, kind = next(entries)
        below = f"{path}.{key}" if isinstance(key, str) else f"{path}[{key!r}]"
        child = next(nodes) if type(kind).__name__ == "NodeAttr" else None
        if not str(key).startswith("_pytree__"):  # flax's own
            static = getattr(kind, "value", kind)
            yield (
                below,
                Attribute(str(key), getattr(child, "type", None), static, getattr(node, "type", None)),
            )
        if child is not None:
            yield from _below(child, nodes, entries, below)


def appeared(before: Any, now: Any) -> Iterator[tuple[str, Attribute]]:
    """The attributes of `now` that `before` has not, without those below one that is listed."""
    old = attributes(before)
    listed: list[str] = []
    for path, attribute in attributes(now).items():
        if path not in old and not any(path.startswith((f"{one}.", f"{one}[")) for one in listed):
            listed.append(path)
            yield path, attribute


def attribute_text(attribute: Attribute) -> str:
    """`Intermediate`, or a static value."""
    kind = attribute.type
    return kind.__name__ if isinstance(kind, type) else str(kind) if kind else repr(attribute.value)


def made_at(attribute: Attribute) -> str | None:
    """`file:line` in the module's class where an attribute of that name is made outside of `__init__`:
    assigned, or named in a call of a method of the module, such as `self.sow`.
    """
    classes = [
        cls for cls in getattr(attribute.owner, "__mro__", ()) if not cls.__module__.startswith("flax.")
    ]
    members = [member for cls in classes for member in vars(cls).values()]
    for method in (member for member in members if isinstance(member, types.FunctionType)):
        line = _line_that_makes(attribute.name, method) if method.__name__ != "__init__" else None
        if line is not None:
            return relative(f"{method.__code__.co_filename}:{line}")
    return None


def _line_that_makes(name: str, method: types.FunctionType) -> int | None:
    try:
        lines, first = inspect.getsourcelines(method)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError):
        return None
    found = [getattr(node, "lineno", 0) for node in ast.walk(tree) if _makes(node, name)]
    return first + min(found) - 1 if found else None


def _makes(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return any(isinstance(one, ast.Attribute) and one.attr == name for one in targets)
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name)):
        return False
    is_method = isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "self"
    is_setattr = isinstance(node.func, ast.Name) and node.func.id == "setattr"
    return (is_method or is_setattr) and any(
        isinstance(value, ast.Constant) and value.value == name for value in node.args
    )
