"""Values of a call as the argument grammar writes them: `f32[128,784]`, `{'w': f32[3]}`, `'gelu'`.

Pure: arrays are recognised by their `shape` and `dtype`, so that JAX is not needed.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any

from jitinspect.specs import short_dtype

DtypeOf = Callable[[Any], Any]

LONGEST = 60
"""How many characters of an object's repr are shown."""
MOST_LEAVES = 6
"""A container with more leaves than this is described by their number."""


def _own_dtype(array: Any) -> Any:
    return array.dtype


def describe_call(
    name: str, args: Iterable[Any], kwargs: Mapping[str, Any], dtype: DtypeOf = _own_dtype
) -> str:
    """The call in one line: `predict(f32[128,784], f32[784,10], training=True)`.

    `dtype` gives an array's dtype, by default the array's own.
    """
    positional = [describe(value, dtype) for value in args]
    keyword = [f"{key}={describe(value, dtype)}" for key, value in kwargs.items()]
    return f"{name}({', '.join(positional + keyword)})"


def describe(value: Any, dtype: DtypeOf = _own_dtype) -> str:
    """One argument; objects that the grammar cannot express, or that cannot be looked at, are described by
    their type.
    """
    try:
        return _describe(value, dtype)
    except Exception:  # the program's properties and keys may raise anything
        return f"<{type(value).__name__}>"


def _describe(value: Any, dtype: DtypeOf) -> str:
    if hasattr(value, "dtype") and isinstance(getattr(value, "shape", None), tuple):
        return _array(value, dtype)
    if isinstance(value, (dict, list, tuple)):
        leaves = _count_leaves(value)
        return _container(value, dtype) if leaves <= MOST_LEAVES else _summary(value, leaves)
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        return repr(value)
    if isinstance(value, enum.Enum) or _is_value(value):
        with suppress(Exception):  # the program may define the repr
            return cut(repr(value))
    name = getattr(value, "__name__", None) or type(value).__name__
    return name if name.startswith("<") else f"<{name}>"


def _is_value(value: Any) -> bool:
    """Whether it is a plain value or a dataclass of plain values, so that its repr says everything. A
    dataclass that holds arrays, or their types, is described by its name instead.
    """
    if isinstance(value, tuple):
        return all(map(_is_value, value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return all(_is_value(getattr(value, field.name, None)) for field in dataclasses.fields(value))
    return value is None or isinstance(value, bool | int | float | complex | str | bytes | enum.Enum)


def cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _array(array: Any, dtype: DtypeOf) -> str:
    shape = ",".join(map(str, array.shape))
    weak = "{weak}" if getattr(array, "weak_type", False) else ""
    return f"{_dtype(dtype(array))}[{shape}]{weak}{_placement(array)}"


@lru_cache(maxsize=256)
def _dtype(dtype: Any) -> str:
    """Cached, since NumPy takes longer to name a dtype than all the rest takes."""
    return short_dtype(str(dtype))


def _placement(array: Any) -> str:
    """`@cpu:1` or `@P('data')` for a committed array."""
    sharding = getattr(array, "sharding", None)
    if sharding is None or not getattr(array, "committed", type(array).__name__ == "ShapeDtypeStruct"):
        return ""
    if (spec := getattr(sharding, "spec", None)) is not None:
        return f"@{spec_text(spec)}"
    devices = list(getattr(sharding, "device_set", ()))
    return f"@{devices[0].platform}:{devices[0].id}" if len(devices) == 1 else ""


def spec_entries(spec: Any) -> tuple[Any, ...]:
    """One for each dimension that a `PartitionSpec` has something to say of.

    A spec of the term of a sum cannot be iterated over (jax 0.10.2 and 0.12.0.1), but its `partitions` can;
    there are none on 0.8.3, where it can be.
    """
    return tuple(getattr(spec, "partitions", spec))


def spec_text(spec: Any) -> str:
    """`P('data',None)`, of a `PartitionSpec`; over the axes in `unreduced={'model'}` it is part of a sum."""
    entries = [repr(entry) for entry in spec_entries(spec)]
    if unreduced := getattr(spec, "unreduced", None):
        entries.append("unreduced={" + ", ".join(map(repr, sorted(unreduced))) + "}")
    return f"P({','.join(entries)})"


def _container(value: Any, dtype: DtypeOf) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {describe(item, dtype)}" for key, item in value.items()) + "}"
    items = ", ".join(describe(item, dtype) for item in value)
    if isinstance(value, list):
        return f"[{items}]"
    return f"({items},)" if len(value) == 1 else f"({items})"


def _summary(value: Any, leaves: int) -> str:
    start, end = "{}" if isinstance(value, dict) else "[]" if isinstance(value, list) else "()"
    return f"{start}{leaves} leaves{end}"


def _count_leaves(value: Any) -> int:
    if not isinstance(value, (dict, list, tuple)):
        return 1
    items = list(value.values()) if isinstance(value, dict) else value
    if any(issubclass(kind, (dict, list, tuple)) for kind in {*map(type, items)}):
        return sum(map(_count_leaves, items))
    return len(items)
