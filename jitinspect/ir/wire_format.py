"""Fields of binary protocol buffers by their numbers, as "Encoding" (protobuf.dev) describes the format.

Some of XLA's messages have no other reader that JAX comes with.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

_MOST_BITS = 63
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED = {_FIXED64: 8, _FIXED32: 4}


def fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Number and value of each field: a number, or bytes. Raises `ValueError` if it is not a message."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if kind == _BYTES:
            length, at = _varint(message, at)
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"a field of kind {kind}")
        if at + length > len(message):
            raise ValueError("a field that is cut off")
        yield number, message[at : at + length]
        at += length


def repeated(message: bytes, number: int) -> list[bytes]:
    """The values of a repeated field."""
    return [value for found, value in fields(message) if found == number]


def spans(message: bytes, number: int) -> Iterator[tuple[int, int]]:
    """Where the values of a repeated field of bytes begin and end: much faster than to copy each."""
    key, at, whole = number << 3 | _BYTES, 0, len(message)
    while at < whole:
        if message[at] == key and message[at + 1] < 0x80:
            begin, end = at + 2, at + 2 + message[at + 1]
        else:
            found, begin = _varint(message, at)
            if found & 7 == _BYTES:
                length, begin = _varint(message, begin)
                end = begin + length
            elif found & 7 == _VARINT:
                end = _varint(message, begin)[1]
            else:
                end = begin + (8 if found & 7 == _FIXED64 else 4)
        if end > whole:
            raise ValueError("a field that is cut off")
        if message[at] == key:
            yield begin, end
        at = end


Place = tuple[int, int]
"""Where a value begins and ends in a message."""


def first_places(message: bytes, begin: int, end: int, last: int) -> dict[int, Place]:
    """Where the first value of each field of bytes is, in a part of a message, up to the first one of the
    field `last`, after which nothing is looked at. Nothing is copied, and nothing raised: a value that is cut
    off ends where the part does, and what is not a message ends the search.
    """
    found: dict[int, Place] = {}
    at, end, stop = begin, min(end, len(message)), last << 3 | _BYTES
    with suppress(IndexError, KeyError, ValueError):
        while at < end:
            key = message[at]
            key, at = (key, at + 1) if key < 0x80 else _varint(message, at)
            if key & 7 == _BYTES:
                length = message[at]
                length, at = (length, at + 1) if length < 0x80 else _varint(message, at)
                if key not in found:
                    found[key] = at, at + length
                    if key == stop:
                        break
                at += length
            else:
                at = _after_number(message, at, key & 7)
    return {key >> 3: (at, min(to, end)) for key, (at, to) in found.items()}


def number_at(message: bytes, begin: int, end: int, field: int) -> int:
    """The first value of a field of numbers in a part of a message: what is before it is not copied. Raises
    `ValueError` if it has none.
    """
    at, wanted = begin, field << 3 | _VARINT
    while at < end:
        key = message[at]
        key, at = (key, at + 1) if key < 0x80 else _varint(message, at)
        if key == wanted:
            return _varint(message, at)[0]
        if key & 7 == _BYTES:
            length = message[at]
            length, at = (length, at + 1) if length < 0x80 else _varint(message, at)
            at += length
        else:
            at = _after_number(message, at, key & 7)
    raise ValueError(f"no field {field}")


def _after_number(message: bytes, at: int, kind: int) -> int:
    """Where a number that begins `at` ends. Raises `IndexError` for a varint that is cut off, and `KeyError`
    for what is no number.
    """
    if kind in _FIXED:
        return at + _FIXED[kind]
    if kind != _VARINT:
        raise KeyError(kind)
    while message[at] >= 0x80:
        at += 1
    return at + 1


def varint_at(message: bytes, at: int) -> tuple[int, int]:
    """The number at a place, and where it ends. Raises `ValueError` where it is cut off, or too long."""
    try:
        return _varint(message, at)
    except IndexError:
        raise ValueError("a number that is cut off") from None


def varint(message: bytes) -> int:
    """The number that the message begins with."""
    return message[0] if message[0] < 0x80 else _varint(message, 0)[0]


def packed_numbers(packed: bytes) -> Iterator[int]:
    """The values of a packed repeated number."""
    at = 0
    while at < len(packed):
        number, at = _varint(packed, at)
        yield number


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A number, seven bits a byte, lowest first, and where it ends. Raises `IndexError` if it is cut off,
    `ValueError` if it is too long.
    """
    number, shift = message[at] & 0x7F, 7
    while message[at] >= 0x80:
        at += 1
        if shift > _MOST_BITS:  # or a damaged message could be one number of a million bytes
            raise ValueError("a number of more than ten bytes")
        number |= (message[at] & 0x7F) << shift
        shift += 7
    return number, at + 1
