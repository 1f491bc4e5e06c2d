"""Types, as the three texts write them → elements and bytes."""

from __future__ import annotations

import re
from functools import cache
from math import prod

_ARRAY = re.compile(r"\b([a-z]\w*)\[([\d,<=]*)")
_TENSOR = re.compile(r"tensor<((?:\d+x)*)(\w+)")
_BITS = re.compile(r"\d+")


@cache
def size(text: str) -> int:
    return sum(_bytes(dtype, dims) for dtype, dims in _arrays(text))


def _arrays(text):
    for dtype, dims in _ARRAY.findall(text):
        yield dtype, [int(d) for d in dims.replace("<=", "").split(",") if d]
    for dims, dtype in _TENSOR.findall(text):
        yield dtype, [int(d) for d in dims.split("x") if d]


def _bytes(dtype, dims):
    bits = 8 if dtype in ("pred", "bool", "i1") else int((_BITS.findall(dtype) or ["0"])[0])
    if dtype.startswith("f8"):
        bits = 8
    return (prod(dims) * bits + 7) // 8
