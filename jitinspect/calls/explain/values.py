"""Components as text: the `before` and `now` of a reason."""

from __future__ import annotations

import dataclasses
import enum
import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

from jitinspect.calls.explain.modules import attributes, is_graph
from jitinspect.calls.explain.slots import Node, Static
from jitinspect.model import CapturedValue
from jitinspect.process.paths import relative

LONGEST = 120
"""Characters of a value's repr that are shown."""


def text(kind: str, value: Any) -> str:
    """One component's value. The types of leaves are written as a whole in `differences.leaf_text`."""
    if isinstance(value, Node):
        return node_text(value)
    if isinstance(value, Static):
        return short_repr(value.value)
    if isinstance(value, CapturedValue):
        return value.text
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
    nothing = node.aux is None or (type(node.aux) is tuple and not node.aux)
    return "" if nothing else f" with {short_repr(node.aux)}"


def short_repr(value: Any) -> str:
    """The repr in one line, cut and without addresses; functions by name. Works even if the repr fails."""
    if callable(value) and not isinstance(value, type) and isinstance(getattr(value, "__qualname__", 0), str):
        return _function(value)
    full = _full_repr(value)
    return full if len(full) <= LONGEST else f"{full[: LONGEST - 1]}…"


def _full_repr(value: Any) -> str:
    try:
        return re.sub(r"\s+", " ", re.sub(r" at 0x[0-9a-f]+", "", repr(value)))
    except Exception:
        return f"<{type(value).__name__}>"


def reprs_around_difference(before: Any, now: Any) -> tuple[str, str] | None:
    """Two values whose short reprs are equal, each from shortly before the place where they differ; None if
    their full reprs are equal too.
    """
    old, new = _full_repr(before), _full_repr(now)
    if old == new:
        return None
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    start = max(0, alike - LONGEST // 4)
    return _window(old, start), _window(new, start)


def _window(full: str, start: int) -> str:
    end = start + LONGEST - 2
    return f"…{full[start:end]}{'…' if end < len(full) else ''}"


def _function(value: Any) -> str:
    """`jax.nn.gelu`; without such a name, where it is defined: `<lambda> (train.py:12)`."""
    if "<" not in value.__qualname__:
        return f"{value.__module__}.{value.__qualname__}"
    code = getattr(value, "__code__", None)
    where = f" ({relative(code.co_filename)}:{code.co_firstlineno})" if code else ""
    return f"{value.__qualname__.rpartition('.')[2]}{where}"


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
        if Static(type(old_value), old_value) != Static(type(new_value), new_value):
            yield name, Static(type(old_value), old_value), Static(type(new_value), new_value)


def _innermost_differences(path: str, before: Static, now: Static) -> Iterator[tuple[str, Static, Static]]:
    """The innermost values that differ, with the path of fields, names and indices that leads there."""
    pairs = list(_members(before.value, now.value)) if before.type is now.type else []
    if not pairs:
        yield path.removeprefix("."), before, now
    for step, old, new in pairs:
        if old is not new and Static(type(old), old) != Static(type(new), new):
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


def parts(where: str | None, before: Static, now: Static) -> Iterator[tuple[str | None, Static, Static]]:
    """The fields in which two values of one dataclass or namedtuple differ, or else the values themselves."""
    fields = _fields(now.value) if type(before.value) is type(now.value) else ()
    differing = [name for name in fields if not _same(before.value, now.value, name)]
    if not differing:
        yield where, before, now
    for name in differing:
        old, new = getattr(before.value, name), getattr(now.value, name)
        yield from parts(f"{where}.{name}", Static(type(old), old), Static(type(new), new))


def _fields(value: Any) -> tuple[str, ...]:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return tuple(field.name for field in dataclasses.fields(value) if field.compare)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return tuple(value._fields)
    return ()


def _same(before: Any, now: Any, name: str) -> bool:
    old, new = getattr(before, name, None), getattr(now, name, None)
    return old is new or (type(old) is type(new) and bool(old == new))


def has_equality(value: Any) -> bool:
    """Whether `==` compares more than identity, or, as for enums, identity is the right comparison."""
    own: object = type(value).__eq__
    return own is not object.__eq__ or isinstance(value, enum.Enum)
