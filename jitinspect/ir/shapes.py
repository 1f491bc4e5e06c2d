"""Types, as the three texts write them → elements and bytes.

`f32[8,8]{1,0:T(8,128)S(1)}` in HLO, `f32[8,8]` and `f32[8@data,8]` in a jaxpr, `tensor<8x8xf32>` in
StableHLO. A text with several types, such as that of a tuple, stands for all of them. Syntax of jax 0.10.2
and 0.12.0.1.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from math import prod
from typing import NamedTuple

_BRACKETS = r"(?P<name>\b[a-z]\w*(?:<\w+>)?)\[(?P<sizes>[^\[\]]*)\](?:\{(?P<layout>[^{}]*)\})?"
_SPACE = re.compile(r"S\((\d+)\)")
_TENSOR = r"tensor<(?P<dims>(?:[\d?]+x)*)(?P<element>[a-z]\w*(?:<\w+>)?)"
_COMMENT = re.compile(r"/\*.*?\*/")
_TYPE = re.compile(f"{_BRACKETS}|{_TENSOR}")
_BITS = {
    "pred": 8, "bool": 8, "i1": 8, "complex<f32>": 64, "complex<f64>": 128,
    "key<fry>": 64, "key<rbg>": 128, "key<urbg>": 128, "token": 0, "opaque": 0,
}  # fmt: skip
"""Types whose names do not say how many bits they have. A predicate takes a byte; a key, its key data."""


class Array(NamedTuple):
    """One array type. For dynamic dimensions, `dims` has the largest possible sizes. `space` is the memory
    that its layout names: 0 is the device's main memory, such as HBM; on a TPU, 1, 2 and 6 are on the chip
    (VMEM, semaphores, SMEM); 5 is the host's memory.
    """

    dtype: str
    dims: tuple[int, ...]
    space: int = 0

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


def main_memory(text: str) -> int:
    """In bytes, those in the device's main memory alone."""
    return sum(array.bytes for array in arrays(text) if array.space == 0)


def parts(text: str) -> tuple[str, ...]:
    """The elements of a tuple's type, as texts, not those of tuples in it; a type that is no tuple itself."""
    if not text.startswith("("):
        return (text,)
    depth, start, found = 0, 1, []
    for at, letter in enumerate(text):
        if (letter == "," and depth == 1) or (letter == ")" and depth == 1):
            found.append(_COMMENT.sub("", text[start:at]).strip())
            start = at + 1
        depth += (letter in "([{") - (letter in ")]}")
    return tuple(one for one in found if one)


def _array(found: re.Match[str]) -> Array:
    if found["name"] is None:
        return Array(found["element"], tuple(map(int, re.findall(r"\d+", found["dims"]))))
    sizes = (re.match(r"\s*(?:<=)?(\d+)", part) for part in found["sizes"].split(","))
    space = _SPACE.search(found["layout"] or "")
    return Array(found["name"], tuple(int(one[1]) for one in sizes if one), int(space[1]) if space else 0)


@cache
def _bits(dtype: str) -> int:
    if dtype in _BITS:
        return _BITS[dtype]
    digits = re.search(r"\d+", dtype)
    return int(digits[0]) if digits else 0
