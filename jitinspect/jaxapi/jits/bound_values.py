"""What a function is bound to: values that it closes over, those of global names that it reads, defaults."""

from __future__ import annotations

import dis
import functools
import inspect
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

from jitinspect.jaxapi.calls.events import is_program
from jitinspect.jaxapi.jits.held_attributes import is_programs_own, is_setting

BUILT_IN = (types.BuiltinFunctionType, types.MethodWrapperType)
FIXED = (type, types.ModuleType, *BUILT_IN, np.ufunc)
"""Types of values that have no parts that change, but for built-in methods of objects."""


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
            if is_programs_own(value):
                yield from _settings(name, value, code)
        elif not _is_fixed(value):
            yield name, value


def _settings(name: str, holder: Any, code: types.CodeType) -> Iterator[tuple[str, Any]]:
    """The attributes that code may read of one of the program's modules or classes, such as `config.lr`."""
    for attribute in _names(code) & vars(holder).keys():
        if is_setting(attribute, value := vars(holder)[attribute]):
            yield f"{name}.{attribute}", value


def _is_fixed(value: Any) -> bool:
    if isinstance(value, FIXED):
        return not isinstance(value, BUILT_IN)
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
