"""What a value consists of at this moment, by path, in a form that can be compared with another one later.

Static arguments, the metadata of trees and what functions capture may be changed in place, and may hold
anything: arrays, functions that hold further values, objects whose `==` or `repr` fails. Nothing of the
program's is called but a `repr`, and no array is kept alive. Types seen on jax 0.8.3 to 0.12.0.1.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import jax
import numpy as np

from jitinspect.jaxapi.calls.proxies import is_jit, unwrapped
from jitinspect.jaxapi.jits.bound_values import BUILT_IN, FIXED, bound_values
from jitinspect.jaxapi.jits.held_attributes import attributes_of, compared_fields
from jitinspect.jaxapi.jits.identities import (
    PLAIN,
    Same,
    array_identity,
    array_text,
    key_identity,
    mutable_identity,
    plain_identity,
)
from jitinspect.jaxapi.jits.options import options_of
from jitinspect.model import CapturedValue, Snapshot
from jitinspect.model.calls import PartSort
from jitinspect.process.reprs import full_repr, function_name, short_repr

MOST_PARTS = 200
"""Of a value with more parts, the others are left out: reading it must not take long."""
_MOST_TEXT = 2_000
_BOUND = (types.FunctionType, types.MethodType, functools.partial)
"""Types of functions whose parts are those that they are bound to."""


def snapshot(value: Any, by_equality: bool = False) -> Snapshot:
    """The value's parts; with `by_equality` only those that a dataclass compares, for static values."""
    walk = _Walk(by_equality)
    text = walk.take("", value)
    return Snapshot(text[:_MOST_TEXT], walk.parts, tuple(walk.left_out))


def snapshot_of_function(links: Iterable[Any]) -> Snapshot:
    """What a function, and the wrappers around it, are bound to: the values that they close over, those of
    global names that they read, defaults, the arguments of a partial, the object of a method.
    """
    walk, links = _Walk(False), list(links)
    for link in links:
        walk.know(link)
    for link in links:
        for name, value in bound_values(link):
            walk.take(name, value)
        if not (is_jit(link) or isinstance(link, (*FIXED, *_BOUND))):
            walk.members("self", link)
    return Snapshot("", walk.parts, tuple(walk.left_out))


class _Walk:
    """Goes through a value and what it holds, depth first, each object once."""

    def __init__(self, by_equality: bool) -> None:
        self.parts: dict[str, CapturedValue] = {}
        self.left_out: list[str] = []
        self._by_equality = by_equality
        self._known: dict[int, tuple[str, Any]] = {}  # keeps the objects alive, and so their ids valid

    def know(self, value: Any, path: str = "") -> None:
        """Do not go through this value where it appears within another one."""
        self._known[id(value)] = path, value

    def take(self, path: str, value: Any) -> str:
        """Add the value at this path, and return its text."""
        try:
            return self._take(path, unwrapped(value))
        except Exception:  # the program's own properties and types may do anything
            self.left_out.append(path)
            return f"<{type(value).__name__}>"

    def _take(self, path: str, value: Any) -> str:
        if type(value) in PLAIN or isinstance(value, enum.Enum):
            return self._add(path, plain_identity(value), full_repr(value))
        if len(self.parts) >= MOST_PARTS:
            self.left_out.append(path)
            return f"<{type(value).__name__}>"
        if isinstance(value, jax.Array | np.ndarray | np.generic):
            return self._add(path, array_identity(value), array_text(value), "array")
        if isinstance(value, BUILT_IN) and not isinstance(value.__self__, types.ModuleType | None):
            self._add(path, (type(value), value.__name__), short_repr(value), "function")
            self.take(f"{path}.self", value.__self__)
            return self.parts[path].text
        if isinstance(value, FIXED) or _is_compared_by_jax(value):
            return self._add(path, (type(value), value), short_repr(value), _sort(value))
        if id(value) in self._known:
            return self._add(path, ("known", self._known[id(value)][0]), short_repr(value), _sort(value))
        self.know(value, path)
        if callable(value) and not _is_container(value):
            return self._function(path, value)
        return self._container(path, value) if _is_container(value) else self._object(path, value)

    def _add(
        self, path: str, identity: Hashable, text: str, sort: PartSort = "plain", mutable: Hashable = None
    ) -> str:
        hash(identity)
        self.parts[path] = CapturedValue(identity, text, sort, mutable)
        return text

    def _function(self, path: str, value: Any) -> str:
        """A function by its code and what it is bound to; another callable by its type, and likewise."""
        text = function_name(value) or short_repr(value)
        code = getattr(value, "__code__", None) if isinstance(value, types.FunctionType) else type(value)
        options = tuple(options_of(value).values()) if is_jit(value) else ()
        self._add(path, (type(value), code, options), text, "function")
        for name, bound in bound_values(value):
            self.take(f"{path}.{name}" if path else f".{name}", bound)
        if isinstance(value, types.MethodType):
            self.take(f"{path}.__func__", value.__func__)
        elif isinstance(value, functools.partial):
            self.take(f"{path}.func", value.func)
        elif hasattr(value, "__wrapped__"):
            self.take(f"{path}.__wrapped__", value.__wrapped__)
        if not (is_jit(value) or isinstance(value, _BOUND)):
            self.members(path, value)
        return text

    def _container(self, path: str, value: Any) -> str:
        keys = list(value) if isinstance(value, Mapping) else None
        mutable = Same(value) if type(value) in (set, deque) else mutable_identity(value)
        size = tuple(map(key_identity, keys[:MOST_PARTS])) if keys is not None else len(value)
        self._add(path, (type(value), size), f"{type(value).__name__} of {len(value)}", "container", mutable)
        if len(self.parts) + len(value) > MOST_PARTS:
            self.left_out.append(path)
            return self.parts[path].text
        if isinstance(value, set | frozenset):
            items = sorted(value, key=full_repr)
        elif keys is not None:
            items = [value[key] for key in keys]
        else:
            items = list(value)
        steps = _steps(value, keys, len(items))
        texts = [self.take(f"{path}{step}", item) for step, item in zip(steps, items, strict=True)]
        return self._say(path, _container_text(value, keys, texts))

    def _say(self, path: str, text: str) -> str:
        """Give a value a text that is made of those of its parts."""
        text = text[:_MOST_TEXT]
        self.parts[path] = dataclasses.replace(self.parts[path], text=text)
        return text

    def _object(self, path: str, value: Any) -> str:
        self._add(path, (type(value), ()), f"<{type(value).__name__}>", "object")
        texts = self.members(path, value)
        held = [part for at, part in self.parts.items() if at.startswith(f"{path}.")]
        if texts is not None and dataclasses.is_dataclass(value) and any(one.sort != "plain" for one in held):
            fields = ", ".join(f"{name}={text}" for name, text in texts.items())
            return self._say(path, f"{type(value).__name__}({fields})")
        many = len(self.parts) >= MOST_PARTS  # its repr would take long
        return self._say(path, f"<{type(value).__name__}>" if many else full_repr(value))

    def members(self, path: str, value: Any) -> dict[str, str] | None:
        """The attributes' texts; None, and the path left out, for an object that has none to be seen."""
        attributes = attributes_of(value)
        if attributes is None:
            self.left_out.append(path)
            return None
        if self._by_equality and (compared := compared_fields(value)) is not None:
            if compared != attributes.keys():
                self.left_out.append(path)
            attributes = {name: held for name, held in attributes.items() if name in compared}
        return {name: self.take(f"{path}.{name}", held) for name, held in attributes.items()}


def _sort(value: Any) -> PartSort:
    return "function" if callable(value) and not isinstance(value, type) else "object"


def _is_compared_by_jax(value: Any) -> bool:
    """JAX's and NumPy's own values, such as dtypes, meshes and shardings: they have no parts that change."""
    cls: Any = type(value)
    home = cls.__module__.partition(".")[0]
    by_value = cls.__eq__ is not object.__eq__ and cls.__hash__ not in (None, object.__hash__)
    return home in ("jax", "jaxlib", "numpy") and by_value


def _is_container(value: Any) -> bool:
    return isinstance(value, list | tuple | dict | set | frozenset | deque | types.MappingProxyType)


def _steps(value: Any, keys: list[Any] | None, count: int) -> Iterable[str]:
    if keys is not None:
        return (f"[{key!r}]" for key in keys)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return (f".{name}" for name in value._fields)
    return (f"[{index}]" for index in range(count))


def _container_text(value: Any, keys: list[Any] | None, texts: list[str]) -> str:
    """As Python writes it, with the texts of the parts."""
    name = type(value).__name__
    if keys is not None:
        inside = ", ".join(f"{key!r}: {text}" for key, text in zip(keys, texts, strict=True))
        return f"{{{inside}}}" if type(value) is dict else f"{name}({{{inside}}})"
    if hasattr(value, "_fields"):
        pairs = zip(value._fields, texts, strict=True)
        return f"{name}({', '.join(f'{field}={text}' for field, text in pairs)})"
    inside = ", ".join(texts)
    if type(value) is tuple:
        return f"({inside},)" if len(texts) == 1 else f"({inside})"
    if type(value) is list:
        return f"[{inside}]"
    return f"{{{inside}}}" if type(value) is set else f"{name}({inside})"
