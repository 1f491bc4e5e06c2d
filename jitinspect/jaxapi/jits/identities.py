"""Single values in a form that can be compared later, and their texts. No array is kept alive."""

from __future__ import annotations

import enum
import functools
import weakref
from collections.abc import Hashable
from typing import Any

import jax
import numpy as np

from jitinspect.specs import short_dtype

MOST_BYTES = 1 << 12
"""Arrays up to this size are compared by their contents, larger ones by whether they are the same array."""
PLAIN = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis), range, slice)
"""Types of values without parts, which a repr says all of."""


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


def plain_identity(value: Any) -> Hashable:
    """NaN is like NaN, 1 is not True, 0.0 is not -0.0."""
    if isinstance(value, enum.Enum):
        return type(value), value.name
    return type(value), repr(value) if isinstance(value, float | complex | slice) else value


def array_identity(value: Any) -> Hashable:
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


def mutable_identity(value: Any) -> Hashable:
    """Which object it is: a list and a dict cannot be referred to weakly, so their ids must do."""
    return id(value) if isinstance(value, list | dict) else None


def key_identity(key: Any) -> Hashable:
    """Of a key of a mapping. Raises ValueError for one of a type that may be changed in place."""
    if type(key) not in (*PLAIN, tuple) and not isinstance(key, enum.Enum):
        raise ValueError("keys of this type are not compared")
    return type(key), key
