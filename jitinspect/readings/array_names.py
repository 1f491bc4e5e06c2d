"""The names by which a function can reach arrays: closure variables, globals, and what these contain."""

from __future__ import annotations

import functools
import types
from collections import deque
from collections.abc import Iterator
from typing import Any

from jitinspect.jaxapi.arrays.captured import can_be_captured
from jitinspect.jaxapi.calls.events import is_program

_MOST_OBJECTS = 20_000
"""How many objects are searched; a large program has more, but they take long and are far from the function.
"""
_NAMED_AS_OWNER = ("_raw_value", "__wrapped__", "__func__", "func", "__call__")
"""Attributes that go by their owner's name: the array of a flax variable, and what a wrapper calls."""

Named = tuple[str, Any]


def arrays(function: Any) -> Iterator[Named]:
    """The reachable arrays, each once, under its shortest name: `W`, `params['w']`, `self.layers[0].w`.

    Nothing is called: attributes are read from the objects' own dictionaries and slots.
    """
    waiting, visited = deque([("", function)]), set[int]()
    while waiting and len(visited) < _MOST_OBJECTS:
        name, obj = waiting.popleft()
        if id(obj) in visited or obj is None or isinstance(obj, str | bytes | int | float | complex):
            continue
        visited.add(id(obj))
        if can_be_captured(obj):
            yield name, obj
        else:
            waiting.extend(_within(name, obj))


def _within(name: str, obj: Any) -> Iterator[Named]:
    if isinstance(obj, types.FunctionType):
        yield from _of_function(obj)
    elif isinstance(obj, types.MethodType):
        yield from (("self", obj.__self__), (name, obj.__func__))
    elif isinstance(obj, functools.partial):
        yield from (*_of_partial(obj), (name, obj.func))
    elif isinstance(obj, dict):
        yield from ((f"{name}[{key!r}]", item) for key, item in list(obj.items()))
    elif isinstance(obj, list | tuple) and not hasattr(obj, "_fields"):
        yield from ((f"{name}[{index}]", item) for index, item in enumerate(obj))
    elif not isinstance(obj, type | types.ModuleType):
        yield from _of_object(name, obj)


def _of_function(function: types.FunctionType) -> Iterator[Named]:
    """Globals only for the program's own functions: those of a library lead everywhere."""
    code = function.__code__
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        yield name, _content(cell)
    defaults = function.__defaults__ or ()
    first = code.co_argcount - len(defaults)
    yield from zip(code.co_varnames[first : code.co_argcount], defaults, strict=True)
    yield from (function.__kwdefaults__ or {}).items()
    yield "", getattr(function, "__wrapped__", None)
    if is_program(code):
        used = dict.fromkeys(_used_names(code))
        for name in used:
            yield from _of_global(name, function.__globals__.get(name), used)


def _of_global(name: str, value: Any, used: dict[str, None]) -> Iterator[Named]:
    """The global; if it is a module, those of its attributes that the function uses."""
    if not isinstance(value, types.ModuleType):
        yield name, value
        return
    yield from (
        (f"{name}.{attribute}", vars(value)[attribute]) for attribute in used if attribute in vars(value)
    )


def _used_names(code: types.CodeType) -> Iterator[str]:
    """Globals and attributes that a function, or a function inside it, names."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _used_names(constant)


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not set yet
        return None


def _of_partial(partial: functools.partial[Any]) -> Iterator[Named]:
    """Named after the parameters that it fills."""
    code = getattr(partial.func, "__code__", None)
    names = code.co_varnames[: code.co_argcount] if code else ()
    for index, value in enumerate(partial.args):
        yield (names[index] if index < len(names) else f"args[{index}]"), value
    yield from partial.keywords.items()


def _of_object(name: str, obj: Any) -> Iterator[Named]:
    slots = [slot for kind in type(obj).__mro__ for slot in _slots(kind)]
    held = {slot: _slot(obj, slot) for slot in slots} | dict(getattr(obj, "__dict__", {}))
    for key, value in held.items():
        below = "" if key in _NAMED_AS_OWNER else f"[{key}]" if key.isdecimal() else f".{key}"
        yield (name or "self") + below, value
    yield "", getattr(type(obj), "__call__", None)  # noqa: B004 (the function, not a yes or no)


def _slots(kind: type) -> tuple[str, ...]:
    slots = vars(kind).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _slot(obj: Any, name: str) -> Any:
    try:
        return object.__getattribute__(obj, name)
    except AttributeError:
        return None
