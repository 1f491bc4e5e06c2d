"""Types and literals of an `HloModuleProto` → text, in JAX's short names.

Fields and numbers are those of XLA's `ShapeProto`, `PrimitiveType` and `LiteralProto` in "xla_data.proto"
(jaxlib 0.8.3 to 0.12.0.1).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator

from jitinspect.ir.wire_format import fields, packed_numbers

_DTYPES = {
    1: "bool", 2: "i8", 3: "i16", 4: "i32", 5: "i64", 6: "u8", 7: "u16", 8: "u32", 9: "u64", 10: "f16",
    11: "f32", 12: "f64", 14: "opaque", 15: "c64", 16: "bf16", 17: "token", 18: "c128", 19: "f8_e5m2",
    20: "f8_e4m3fn", 21: "i4", 22: "u4", 23: "f8_e4m3b11fnuz", 24: "f8_e5m2fnuz", 25: "f8_e4m3fnuz", 26: "i2",
    27: "u2", 28: "f8_e4m3", 29: "f8_e3m4", 32: "f4_e2m1fn", 33: "f8_e8m0fnu",
}  # fmt: skip
_ELEMENT, _DIMENSIONS, _TUPLE = 2, 3, 4
_SHAPE = 1
_PACKED = {8: "f", 9: "d", 11: "e", 16: "H", 17: "h"}
"""The fields of a literal whose elements are packed, by their format; the others are numbers or opaque."""
_NUMBERS = {2: 0, 4: 64, 5: 64, 6: 0, 7: 0}
"""The fields of numbers, and the bits of those that have a sign."""
_BF16, _BYTES_SIGNED, _BYTES = 13, 15, 3
MOST_COMPARED = 1 << 22
"""Bytes of a literal. Larger ones are not compared."""


def types(shape: bytes) -> Iterator[str]:
    """`f32[128,784]` for each array of a shape, those of tuples in their order."""
    found = list(fields(shape))
    if parts := [value for number, value in found if number == _TUPLE]:
        for part in parts:
            yield from types(part)
        return
    known = dict(found)
    if known.get(_ELEMENT) != 13:  # an empty tuple
        dtype = _DTYPES.get(known.get(_ELEMENT, 0), f"type {known.get(_ELEMENT)}")
        yield f"{dtype}[{','.join(map(str, dimensions(shape)))}]"


def dimensions(shape: bytes) -> tuple[int, ...]:
    """Sizes of an array. A field of one number may be unpacked."""
    sizes: list[int] = []
    for number, value in fields(shape):
        if number == _DIMENSIONS:
            sizes += packed_numbers(value) if isinstance(value, bytes) else [value]
    return tuple(sizes)


def literal(message: bytes) -> str | None:
    """A scalar, or an array of one value, as Python would print the value; a larger one as a digest, the same
    for every order of its elements, since XLA may transpose it. None for what is not compared.
    """
    if len(message) > MOST_COMPARED:
        return None
    parts = [(number, value) for number, value in fields(message) if number != _SHAPE]
    try:
        values = [element for number, value in parts for element in _elements(number, value)]
    except ValueError:
        return None
    if not values:
        return None
    if len(distinct := set(values)) == 1:
        return _shown(distinct.pop())
    return f"sha256:{hashlib.sha256(','.join(sorted(map(_shown, values))).encode()).hexdigest()[:12]}"


def _elements(number: int, value: int | bytes) -> Iterator[float]:
    """Raises `ValueError` for what is not compared."""
    if number in _NUMBERS:
        bits = _NUMBERS[number]
        found = packed_numbers(value) if isinstance(value, bytes) else iter([value])
        yield from (one - (1 << bits) if bits and one >= 1 << (bits - 1) else one for one in found)
    elif not isinstance(value, bytes):
        raise ValueError(number)
    elif number == _BF16:
        yield from (struct.unpack("<f", b"\0\0" + value[at : at + 2])[0] for at in range(0, len(value), 2))
    elif number in (_BYTES, _BYTES_SIGNED):
        yield from value if number == _BYTES else memoryview(value).cast("b")
    elif number in _PACKED:
        size = struct.calcsize(_PACKED[number])
        yield from struct.unpack(f"<{len(value) // size}{_PACKED[number]}", value)
    else:
        raise ValueError(number)


def reciprocal(text: str) -> str | None:
    """Of a number that is not an integer; None for anything else."""
    number = _float(text)
    return None if not number else _shown(_rounded(1 / number))


def negative(text: str) -> str | None:
    """Of a number that is not an integer; None for anything else."""
    number = _float(text)
    return None if number is None else _shown(-number)


def _float(text: str) -> float | None:
    try:
        return float(text) if not text.lstrip("-").isdecimal() else None
    except ValueError:
        return None


def _shown(value: float) -> str:
    """With as few digits as a 32-bit float needs, so that a number is the same in each precision."""
    if isinstance(value, int):
        return str(value)
    texts = (f"{value:.{digits}g}" for digits in range(1, 18))
    text = next((text for text in texts if _rounded(float(text)) == _rounded(value)), repr(value))
    return text if set(text) & set(".enf") else f"{text}.0"


def _rounded(value: float) -> float:
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return value
