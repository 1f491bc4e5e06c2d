"""What a value consists of at this moment, by path, in a form that can be compared with another one later.

Static arguments, the metadata of trees and what functions capture may be changed in place, and may hold
anything: arrays, functions that hold further values, objects whose `==` or `repr` fails. Nothing of the
program's is called but a `repr`, and no array is kept alive. Types seen on jax 0.8.3 to 0.12.0.1.
"""

from __future__ import annotations

import dataclasses
import dis
import enum
import functools
import inspect
import sys
import types
import weakref
from collections import deque
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

import jax
import numpy as np

from jitinspect.jaxapi.calls.events import is_program, owner_of
from jitinspect.jaxapi.calls.proxies import is_jit, unwrapped
from jitinspect.jaxapi.jits.options import options_of
from jitinspect.model import CapturedValue, Snapshot
from jitinspect.model.calls import PartSort
from jitinspect.process.paths import is_installed
from jitinspect.process.reprs import full_repr, function_name, short_repr
from jitinspect.specs import short_dtype

MOST_PARTS = 200
"""Of a value with more parts, the others are left out: reading it must not take long."""
MOST_BYTES = 1 << 12
"""Arrays up to this size are compared by their contents, larger ones by whether they are the same array."""
_MOST_TEXT = 2_000
_POINTER = 8
_HEAP_TYPE = 1 << 9
"""The flag of CPython for a class that was made while Python runs, as a `class` statement does."""
_PLAIN = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis), range, slice)
_BUILT_IN = (types.BuiltinFunctionType, types.MethodWrapperType)
_FIXED = (type, types.ModuleType, *_BUILT_IN, np.ufunc)
"""Types of values that have no parts that change, but for built-in methods of objects."""
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
        if not (is_jit(link) or isinstance(link, (*_FIXED, *_BOUND))):
            walk.members("self", link)
    return Snapshot("", walk.parts, tuple(walk.left_out))


class Same:
    """Equal to another `Same` of the same object, as long as that lives. Raises TypeError for an object that
    cannot be referred to weakly.
    """

    __slots__ = ("_id", "_reference")

    def __init__(self, value: Any) -> None:
        self._id, self._reference = id(value), weakref.ref(value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Same) or self._id != other._id:
            return False
        value = self._reference()
        return value is not None and value is other._reference()

    def __hash__(self) -> int:
        return self._id


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
        if type(value) in _PLAIN or isinstance(value, enum.Enum):
            return self._add(path, _plain_identity(value), full_repr(value))
        if len(self.parts) >= MOST_PARTS:
            self.left_out.append(path)
            return f"<{type(value).__name__}>"
        if isinstance(value, jax.Array | np.ndarray | np.generic):
            return self._add(path, _array_identity(value), array_text(value), "array")
        if isinstance(value, _BUILT_IN) and not isinstance(value.__self__, types.ModuleType | None):
            self._add(path, (type(value), value.__name__), short_repr(value), "function")
            self.take(f"{path}.self", value.__self__)
            return self.parts[path].text
        if isinstance(value, _FIXED) or _is_compared_by_jax(value):
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
        mutable = Same(value) if type(value) in (set, deque) else _mutable(value)
        size = tuple(map(_key_identity, keys[:MOST_PARTS])) if keys is not None else len(value)
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
        attributes = _attributes(value)
        if attributes is None:
            self.left_out.append(path)
            return None
        if self._by_equality and (compared := _compared_fields(value)) is not None:
            if compared != attributes.keys():
                self.left_out.append(path)
            attributes = {name: held for name, held in attributes.items() if name in compared}
        return {name: self.take(f"{path}.{name}", held) for name, held in attributes.items()}


def _sort(value: Any) -> PartSort:
    return "function" if callable(value) and not isinstance(value, type) else "object"


def _plain_identity(value: Any) -> Hashable:
    """NaN is like NaN, 1 is not True, 0.0 is not -0.0."""
    if isinstance(value, enum.Enum):
        return type(value), value.name
    return type(value), repr(value) if isinstance(value, float | complex | slice) else value


def _array_identity(value: Any) -> Hashable:
    """By contents if it is small, and there without waiting; else as the same array, if that cannot change.
    Raises ValueError for one that cannot be compared.
    """
    kind, shape = _dtype(value.dtype), tuple(value.shape)
    weak = bool(getattr(value, "weak_type", False))
    if (contents := _contents(value)) is not None:
        return kind, shape, weak, contents
    if not isinstance(value, jax.Array):
        raise ValueError("large, and may be changed in place")
    return kind, shape, weak, Same(value)


def _contents(value: Any) -> bytes | None:
    array: Any = value
    size = value.size * getattr(value.dtype, "itemsize", MOST_BYTES)
    if isinstance(value, jax.core.Tracer) or size > MOST_BYTES or value.dtype == object:
        return None
    if not isinstance(value, jax.Array):
        return bytes(np.ascontiguousarray(value).tobytes())
    try:
        if array.is_deleted() or not array.is_ready() or not array.is_fully_addressable:
            return None
        part = array.addressable_data(0)  # a view of its own: a kept one would prevent a donation
        return np.asarray(part).tobytes() if part is not array and part.shape == array.shape else None
    except Exception:  # keys have no NumPy dtype; a transfer may be forbidden
        return None


def array_text(value: Any) -> str:
    """`f32[3]`; a single number as such."""
    if value.shape == () and (contents := _contents(value)) is not None:
        return repr(np.frombuffer(contents, value.dtype)[0].item())
    return f"{_dtype(value.dtype)}[{','.join(map(str, value.shape))}]"


@functools.lru_cache(maxsize=256)
def _dtype(dtype: Any) -> str:
    """Cached, since NumPy takes long to name a dtype."""
    return short_dtype(str(dtype))


def _is_compared_by_jax(value: Any) -> bool:
    """JAX's and NumPy's own values, such as dtypes, meshes and shardings: they have no parts that change."""
    cls: Any = type(value)
    home = cls.__module__.partition(".")[0]
    by_value = cls.__eq__ is not object.__eq__ and cls.__hash__ not in (None, object.__hash__)
    return home in ("jax", "jaxlib", "numpy") and by_value


def _is_container(value: Any) -> bool:
    return isinstance(value, list | tuple | dict | set | frozenset | deque | types.MappingProxyType)


def _mutable(value: Any) -> Hashable:
    """Which object it is: a list and a dict cannot be referred to weakly, so their ids must do."""
    return id(value) if isinstance(value, list | dict) else None


def _key_identity(key: Any) -> Hashable:
    if type(key) not in (*_PLAIN, tuple) and not isinstance(key, enum.Enum):
        raise ValueError("keys of this type are not compared")
    return type(key), key


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


def _compared_fields(value: Any) -> set[str] | None:
    """Those that the `==` of a dataclass looks at; None for an object with another `==`."""
    parameters = getattr(type(value), "__dataclass_params__", None)
    if parameters is None or not parameters.eq:
        return None
    return {one.name for one in dataclasses.fields(value) if one.compare}


def _attributes(value: Any) -> dict[str, Any] | None:
    """What an object holds, without a property being called; None if it holds something that cannot be seen,
    as objects made in C do.
    """
    slots = [name for cls in type(value).__mro__ for name in _own_slots(cls)]
    most = object.__basicsize__ + _POINTER * (len(slots) + 2)  # also for `__dict__` and `__weakref__`
    made_in_c = any(not cls.__flags__ & _HEAP_TYPE for cls in type(value).__mro__[:-1])
    if type(value).__basicsize__ > most or (made_in_c and not isinstance(value, types.SimpleNamespace)):
        return None
    held = {name: getattr(value, name) for name in slots if hasattr(value, name)}
    return {**_class_attributes(type(value)), **held, **getattr(value, "__dict__", {})}


def _class_attributes(cls: type) -> dict[str, Any]:
    """Settings that the program keeps in its classes, which a method reads as it does an object's own."""
    own = (held for held in reversed(cls.__mro__) if held is not object and _is_programs_own(held))
    return {name: value for held in own for name, value in vars(held).items() if _is_setting(name, value)}


def _is_setting(name: str, value: Any) -> bool:
    descriptor = hasattr(type(value), "__get__")
    fixed = callable(value) or isinstance(value, types.ModuleType) or name.startswith(("__", "_abc_"))
    return not (descriptor or fixed)


def _own_slots(cls: type) -> Iterator[str]:
    for name, member in vars(cls).items():
        if isinstance(member, types.MemberDescriptorType) and name != "__dict__":
            yield name


def bound_values(link: Any) -> Iterator[tuple[str, Any]]:
    """The values that one function, partial or method holds, by name."""
    if isinstance(link, functools.partial):
        yield from ((f"args[{index}]", value) for index, value in enumerate(link.args))
        yield from link.keywords.items()
    if isinstance(link, types.MethodType):
        yield "self", link.__self__
    if not isinstance(link, types.FunctionType):
        return
    for name, cell in zip(link.__code__.co_freevars, link.__closure__ or (), strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not filled yet
            continue
    defaults = link.__defaults__ or ()
    names = link.__code__.co_varnames[: link.__code__.co_argcount]
    yield from zip(names[len(names) - len(defaults) :], defaults, strict=False)
    yield from (link.__kwdefaults__ or {}).items()
    yield from _globals_read(link)


def _globals_read(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """Of the program's own functions: a library's globals are its own affair. Modules, classes and libraries'
    functions are what their names say.
    """
    if not is_program(function.__code__):
        return
    values, code = function.__globals__, function.__code__
    for name in _global_names(code):
        if name not in values:  # a built-in one
            continue
        if isinstance(value := values[name], types.ModuleType | type):
            if _is_programs_own(value):
                yield from _settings(name, value, code)
        elif not _is_fixed(value):
            yield name, value


def _settings(name: str, holder: Any, code: types.CodeType) -> Iterator[tuple[str, Any]]:
    """The attributes that code may read of one of the program's modules or classes, such as `config.lr`."""
    for attribute in _names(code) & vars(holder).keys():
        if _is_setting(attribute, value := vars(holder)[attribute]):
            yield f"{name}.{attribute}", value


def _is_programs_own(holder: Any) -> bool:
    module = sys.modules.get(holder.__module__) if isinstance(holder, type) else holder
    path = getattr(module, "__file__", None)
    return path is not None and owner_of(path) == "user" and not is_installed(path)


def _is_fixed(value: Any) -> bool:
    if isinstance(value, _FIXED):
        return not isinstance(value, _BUILT_IN)
    try:
        code = getattr(inspect.unwrap(value), "__code__", None)
    except ValueError:  # a circle of wrappers
        return False
    return isinstance(code, types.CodeType) and not is_program(code)


@functools.lru_cache(maxsize=2048)
def _names(code: types.CodeType) -> frozenset[str]:
    return frozenset(name for one in _with_inner(code) for name in one.co_names)


@functools.lru_cache(maxsize=2048)
def _global_names(code: types.CodeType) -> tuple[str, ...]:
    """The global names that code reads and does not set itself, as it does for a counter."""
    read: dict[str, None] = {}
    written: set[str] = set()
    for one in _with_inner(code):
        for instruction in dis.get_instructions(one):
            if instruction.opname.startswith(("LOAD_GLOBAL", "LOAD_NAME")):
                read[str(instruction.argval)] = None
            elif instruction.opname in ("STORE_GLOBAL", "DELETE_GLOBAL"):
                written.add(str(instruction.argval))
    return tuple(name for name in read if name not in written)


def _with_inner(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _with_inner(constant)
