"""What objects and classes hold, read without a property being called."""

from __future__ import annotations

import dataclasses
import sys
import types
from collections.abc import Iterator
from typing import Any

from jitinspect.jaxapi.calls.events import owner_of
from jitinspect.process.paths import is_installed

_POINTER = 8
_HEAP_TYPE = 1 << 9
"""The flag of CPython for a class that was made while Python runs, as a `class` statement does."""


def compared_fields(value: Any) -> set[str] | None:
    """Those that the `==` of a dataclass looks at; None for an object with another `==`."""
    parameters = getattr(type(value), "__dataclass_params__", None)
    if parameters is None or not parameters.eq:
        return None
    return {one.name for one in dataclasses.fields(value) if one.compare}


def attributes_of(value: Any) -> dict[str, Any] | None:
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
    own = (held for held in reversed(cls.__mro__) if held is not object and is_programs_own(held))
    return {name: value for held in own for name, value in vars(held).items() if is_setting(name, value)}


def is_setting(name: str, value: Any) -> bool:
    """Whether an attribute of a class or a module is a value that code may read, and not code itself."""
    descriptor = hasattr(type(value), "__get__")
    fixed = callable(value) or isinstance(value, types.ModuleType) or name.startswith(("__", "_abc_"))
    return not (descriptor or fixed)


def _own_slots(cls: type) -> Iterator[str]:
    for name, member in vars(cls).items():
        if isinstance(member, types.MemberDescriptorType) and name != "__dict__":
            yield name


def is_programs_own(holder: Any) -> bool:
    """Whether a module or a class is the program's, and not that of a library."""
    module = sys.modules.get(holder.__module__) if isinstance(holder, type) else holder
    path = getattr(module, "__file__", None)
    return path is not None and owner_of(path) == "user" and not is_installed(path)
