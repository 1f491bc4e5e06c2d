"""Components as text: the `before` and `now` of a reason."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

from jitinspect.calls.explain.modules import attributes, is_graph
from jitinspect.calls.explain.slots import Node, Static, equal
from jitinspect.model import CapturedValue, Snapshot
from jitinspect.model.calls import PartSort
from jitinspect.process.reprs import LONGEST, short_repr, shortened


def text(kind: str, value: Any) -> str:
    """One component's value. The types of leaves are written as a whole in `differences.leaf_text`."""
    if isinstance(value, Node):
        return node_text(value)
    if isinstance(value, Static):
        return shortened(value.seen.text) if value.seen else short_repr(value.value)
    if isinstance(value, CapturedValue):
        return shortened(value.text)
    if kind == "transformation" and value is None:
        return "nothing"
    if kind == "jit_options" and isinstance(value, tuple) and value and all(map(_is_named_pair, value)):
        return ", ".join(f"{name}={short_repr(option)}" for name, option in value)
    return value if isinstance(value, str) else short_repr(value)


def node_text(node: Node, typed: bool = False) -> str:
    """`{'b', 'w'}`, `list of 2`, `Point(x, y)`, `None`, `a leaf`; with `typed`, for types that differ,
    `dict {'b', 'w'}`.
    """
    if node.type is None:
        return "a leaf"
    if node.type is type(None):
        return "None"
    if node.type in (list, tuple) or not isinstance(node.keys, tuple):
        is_class = typed and node.type not in (list, tuple)
        return node.type.__name__ if is_class else f"{node.type.__name__} of {node.keys}{_aux(node)}"
    keys = ", ".join(map(repr, node.keys))
    if node.type is dict:
        return f"dict {{{keys}}}" if typed else f"{{{keys}}}"
    return f"{node.type.__name__}({', '.join(map(str, node.keys))}){_aux(node)}"


def _aux(node: Node) -> str:
    nothing = node.aux is None or (type(node.aux) is tuple and len(node.aux) == 0)
    return "" if nothing else f" with {aux_text(node)}"


def aux_text(node: Node) -> str:
    """The auxiliary data of a custom node, as they were when they were read."""
    return shortened(node.seen.text) if node.seen else short_repr(node.aux)


def reprs_around_difference(before: str, now: str) -> tuple[str, str] | None:
    """Two reprs that are equal where they are shown, each from shortly before the place where they differ;
    None if they are equal throughout.
    """
    if before == now:
        return None
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, now, strict=False)))
    start = max(0, alike - LONGEST // 4)
    return _window(before, start), _window(now, start)


def _window(full: str, start: int) -> str:
    end = start + LONGEST - 2
    return f"…{full[start:end]}{'…' if end < len(full) else ''}"


def differing_metadata(old: Node, new: Node) -> Iterator[tuple[str, Static, Static]]:
    """The metadata fields in which two nodes of one dataclass differ.

    `jax.tree_util.register_dataclass`, equinox and `flax.struct` keep them as the last entries of a tuple.
    """
    if old.type is not new.type or old.keys != new.keys or not dataclasses.is_dataclass(new.type):
        return
    if dataclasses.is_dataclass(new.aux):  # flax.nnx: the graph is the metadata
        yield from _innermost_differences("", Static(type(old.aux), old.aux), Static(type(new.aux), new.aux))
        return
    names = [field.name for field in dataclasses.fields(new.type) if _is_metadata(field)]
    before, now = _last(old.aux, len(names)), _last(new.aux, len(names))
    for name, old_value, new_value in zip(names, before, now, strict=False):
        if not _equal(old_value, new_value):
            yield name, Static(type(old_value), old_value), Static(type(new_value), new_value)


def _innermost_differences(path: str, before: Static, now: Static) -> Iterator[tuple[str, Static, Static]]:
    """The innermost values that differ, with the path of fields, names and indices that leads there."""
    pairs = list(_members(before.value, now.value)) if before.type is now.type else []
    if not pairs:
        yield path.removeprefix("."), before, now
    for step, old, new in pairs:
        if not _equal(old, new):
            yield from _innermost_differences(f"{path}{step}", Static(type(old), old), Static(type(new), new))


def _members(before: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    if is_graph(type(now)):
        yield from _attributes(before, now)
    elif dataclasses.is_dataclass(now) and not isinstance(now, type):
        for field in dataclasses.fields(now):
            yield f".{field.name}", getattr(before, field.name), getattr(now, field.name)
    elif _is_named_pair(before) and _is_named_pair(now) and before[0] == now[0]:
        yield f".{now[0]}", before[1], now[1]
    elif isinstance(now, list | tuple) and len(before) == len(now):
        for index, (old, new) in enumerate(zip(before, now, strict=True)):
            yield "" if _is_named_pair(new) else f"[{index}]", old, new


def _equal(old: Any, new: Any) -> bool:
    return type(old) is type(new) and equal(old, new)


def _attributes(before: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    """The static attributes of two modules by their paths. Nothing if the two have different structures."""
    old, new = attributes(before), attributes(now)
    if old.keys() == new.keys():
        for path, attribute in new.items():
            yield path, old[path].value, attribute.value


def _is_named_pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str)


def _is_metadata(field: dataclasses.Field[Any]) -> bool:
    return field.metadata.get("static") is True or field.metadata.get("pytree_node") is False


def _last(aux: Any, count: int) -> tuple[Any, ...]:
    return aux[len(aux) - count :] if isinstance(aux, tuple) and len(aux) >= count else ()


def differing_parts(before: Snapshot, now: Snapshot) -> list[str]:
    """The paths of the innermost parts that differ; of a tuple, list or dict, its own path if it shows."""
    found: dict[str, None] = {}
    for path, part in now.parts.items():
        old = before.parts.get(path)
        if old is not None and old != part and not any(_is_below(path, outer) for outer in found):
            found[_outermost_shown(path, before, now)] = None
    return list(found)


def _is_below(path: str, outer: str) -> bool:
    return path.startswith((f"{outer}.", f"{outer}["))


def _outermost_shown(path: str, before: Snapshot, now: Snapshot) -> str:
    outer = path.partition("[")[0]
    texts = {one.parts[outer].text for one in (before, now) if outer in one.parts}
    return outer if len(texts) == 2 else path


def are_alike(before: Snapshot | None, now: Snapshot | None) -> bool:
    """Whether all that there is to see of two values is equal."""
    if before is None or now is None or before.left_out or now.left_out:
        return False
    return before.parts == now.parts


def holds(seen: Snapshot | None, sort: PartSort) -> bool:
    """Whether a value of this sort is among the parts."""
    return seen is not None and any(part.sort == sort for part in seen.parts.values())


def has_equality(value: Any) -> bool:
    """Whether `==` compares more than identity, or, as for enums, identity is the right comparison."""
    own: object = type(value).__eq__
    return own is not object.__eq__ or isinstance(value, enum.Enum)
