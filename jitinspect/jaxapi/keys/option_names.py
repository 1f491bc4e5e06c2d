"""The names of XLA's options, by their numbers in the protos that executables are stored with.

jaxlib brings no Python module that has them, but the descriptors of its protos are in its library, as each
generated file has its own (protobuf's `FileDescriptorProto`). Seen in jaxlib 0.8.3 to 0.12.0.1.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jaxlib.version

from jitinspect.ir.wire_format import fields, varint_at

BUILD, DEBUG, COMPILE = "ExecutableBuildOptionsProto", "DebugOptions", "CompileOptionsProto"
_FILES = ("xla/xla.proto", "xla/pjrt/proto/compile_options.proto")
_LONGEST = 1 << 20
_MESSAGES, _LAST_FIELD = 4, 14
_NAME, _FIELD, _NUMBER, _LABEL, _KIND = 1, 2, 3, 4, 5
_REPEATED = 3


class Option(NamedTuple):
    """`kind` is the number of a type in `FieldDescriptorProto`: 8 for a bool."""

    name: str
    kind: int
    is_repeated: bool = False


def options(message: str) -> Mapping[int, Option]:
    """The fields of one of the messages above; empty if this jaxlib does not show them."""
    return _messages().get(message, {})


@cache
def _messages() -> dict[str, dict[int, Option]]:
    folder = Path(jaxlib.version.__file__).parent
    libraries = sorted(folder.glob("*.so"), key=lambda path: -path.stat().st_size)
    try:
        with libraries[0].open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return dict(_described(content))
    except (OSError, ValueError, IndexError, KeyError):
        return {}


def _described(content: mmap.mmap) -> Iterator[tuple[str, dict[int, Option]]]:
    for name in _FILES:
        begin = content.find(bytes([_NAME << 3 | 2, len(name)]) + name.encode() + b"\x12\x03xla")
        if begin >= 0:
            for message in _messages_at(content[begin : begin + _LONGEST]):
                parts = list(fields(message))
                described = [dict(fields(value)) for number, value in parts if number == _FIELD]
                yield (
                    dict(parts)[_NAME].decode(),
                    {one[_NUMBER]: _option(one) for one in described},
                )


def _option(described: dict[int, Any]) -> Option:
    return Option(described[_NAME].decode(), described.get(_KIND, 0), described.get(_LABEL) == _REPEATED)


def _messages_at(descriptor: bytes) -> Iterator[bytes]:
    """Of a file's descriptor, whose end is not marked: something else follows it."""
    at, is_first = 0, True
    while at < len(descriptor):
        key, begin = varint_at(descriptor, at)
        number, kind = key >> 3, key & 7
        if kind != 2 or not 0 < number <= _LAST_FIELD or (number == _NAME and not is_first):
            return
        length, begin = varint_at(descriptor, begin)
        at, is_first = begin + length, False
        if number == _MESSAGES:
            yield descriptor[begin:at]
