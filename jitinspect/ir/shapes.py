"""Types, as the three texts write them → elements and bytes.

`f32[8,8]{1,0}` in HLO, `f32[8,8]` and `f32[8@data,8]` in a jaxpr, `tensor<8x8xf32>` in StableHLO. A text with
several types, such as that of a tuple, stands for all of them. Syntax of jax 0.10.2 and 0.12.0.1.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import prod
from typing import NamedTuple

_BRACKETS = r"(?P<name>\b[a-z]\w*(?:<\w+>)?)\[(?P<sizes>[^\[\]]*)\]"
_TENSOR = r"tensor<(?P<dims>(?:[\d?]+x)*)(?P<element>[a-z]\w*(?:<\w+>)?)"
_TYPE = re.compile(f"{_BRACKETS}|{_TENSOR}")
_BITS = {
    "pred": 8, "bool": 8, "i1": 8, "complex<f32>": 64, "complex<f64>": 128,
    "key<fry>": 64, "key<rbg>": 128, "key<urbg>": 128, "token": 0, "opaque": 0,
}  # fmt: skip
"""Types whose names do not say how many bits they have. A predicate takes a byte; a key, its key data."""


class Array(NamedTuple):
    """One array type. For dynamic dimensions, `dims` has the largest possible sizes."""

    dtype: str
    dims: tuple[int, ...]

    @property
    def elements(self) -> int:
        return prod(self.dims)

    @property
    def bytes(self) -> int:
        """Packed: two elements of four bits take one byte. 0 for types without data, such as tokens."""
        return (self.elements * _bits(self.dtype) + 7) // 8


@lru_cache(maxsize=4096)
def arrays(text: str) -> tuple[Array, ...]:
    """The arrays in the text of a type, in order. Unknown sizes count as 1."""
    return tuple(_array(found) for found in _TYPE.finditer(text))


def elements(text: str) -> int:
    return sum(array.elements for array in arrays(text))


def size(text: str) -> int:
    """In bytes."""
    return sum(array.bytes for array in arrays(text))


def _array(found: re.Match[str]) -> Array:
    if found["name"] is None:
        return Array(found["element"], tuple(map(int, re.findall(r"\d+", found["dims"]))))
    sizes = (re.match(r"\s*(?:<=)?(\d+)", part) for part in found["sizes"].split(","))
    return Array(found["name"], tuple(int(one[1]) for one in sizes if one))


def _bits(dtype: str) -> int:
    if dtype in _BITS:
        return _BITS[dtype]
    digits = re.search(r"\d+", dtype)
    return int(digits[0]) if digits else 0
