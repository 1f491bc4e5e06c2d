"""What kind a file is, by its contents; its name is not looked at."""

from __future__ import annotations

import os
import re
import stat
import struct
import zlib
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from jitinspect.errors import LoadError

_START = 64 * 1024
"""Bytes that are enough to tell."""
ZSTD, ZLIB, GZIP = b"\x28\xb5\x2f\xfd", b"\x78", b"\x1f\x8b"
_SUFFIXES = {".jaxexport", ".mlir", ".mlirbc", ".bc", ".stablehlo", ".hlo", ".pb", ".txt", ".gz"}
"""Of files that people call so; what is in one is not told by them."""
_NEEDED = (0, 1, 2, 4, 9, 13)
"""Of an exported function's fields: the version, its name, both trees, the platforms, the module."""
_BYTECODE = b"ML\xefR"
_MODULE = re.compile(
    rb'(?:[ \t]*(?:(?://|[#!]\w)[^\n]*)?\r?\n)*[ \t]*(?:module\b|"builtin.module"|func\.func\b|#loc)'
)
"""Comments and aliases, and then the module."""
_SCHEDULED = re.compile(rb"HloModule [^\n]*\bis_scheduled=true")
"""What a compiler has put in order; the module that it is given has no such mark (jax 0.8.3 to 0.12)."""


class Kind(StrEnum):
    """What a file holds."""

    EXPORTED = "exported function"
    MLIR = "MLIR module"
    HLO_BEFORE = "HLO module before optimization"
    PROTO_BEFORE = "HLO proto before optimization"
    HLO = "optimized HLO module"
    PROTO = "HLO proto"
    EXECUTABLE = "serialized executable"
    CACHE_ENTRY = "cache entry"
    DUMP = "dump folder"


LOWERED = frozenset({Kind.EXPORTED, Kind.MLIR, Kind.HLO_BEFORE, Kind.PROTO_BEFORE})
"""What XLA can still compile."""
COMPILED = frozenset({Kind.HLO, Kind.PROTO, Kind.EXECUTABLE, Kind.CACHE_ENTRY})
"""What it has compiled: one module."""


def is_file_target(text: str) -> bool:
    """Whether a target names a file or folder, rather than a function: `step.jaxexport`, `dump/`, or a module
    in a folder: `dump/:jit_step`.
    """
    path = str(parts_of(text)[0])
    return not path.endswith(".py") and os.path.lexists(path) and (os.sep in text or "." in text)


def parts_of(target: str) -> tuple[Path, str | None]:
    """The path of a target that is a file, and the name of a module in it, if that is a folder."""
    folder, colon, name = target.rpartition(":")
    if colon and os.sep in folder and os.path.isdir(folder) and not os.path.lexists(target):
        return Path(folder), name
    return Path(target), None


def looks_like_file(text: str) -> bool:
    """Whether it can only be meant as one, such as `step.jaxexport`, if it exists or not."""
    is_named = ":" not in text and not text.endswith(".py")
    return is_named and (os.sep in text or os.path.splitext(text)[1] in _SUFFIXES)


def kind_of(path: Path) -> Kind:
    """Raises `LoadError` for what cannot be read, and for contents of no known kind."""
    if path.is_dir():
        return Kind.DUMP
    start = _expanded(_start(path))
    for kind, matches in _MARKS.items():
        if matches(start):
            return kind
    raise LoadError(
        f"{path} is of no kind that can be inspected",
        hint="an exported function, an MLIR or HLO module as text or proto, a cache entry, a dump folder",
    )


def is_compressed(path: Path) -> bool:
    """Raises what `kind_of` does."""
    return _start(path).startswith((GZIP, ZLIB, ZSTD))


def _start(path: Path) -> bytes:
    """Reads a regular file alone: another one, such as a pipe, might never end."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise LoadError(f"{path} is not a regular file")
        with path.open("rb") as file:
            start = file.read(_START)
    except OSError as error:
        raise LoadError(f"{path} cannot be read: {error.strerror or error}") from None
    if not start:
        raise LoadError(f"{path} is empty")
    return start


def _expanded(start: bytes) -> bytes:
    """As far as it goes, if it is gzipped: XLA and people do that with texts."""
    if not start.startswith(GZIP):
        return start
    try:
        return zlib.decompressobj(wbits=31).decompress(start, _START)
    except zlib.error:
        return start


def _is_executable(start: bytes) -> bool:
    """As XLA serializes it, behind a header of IFRT's, or pickled by JAX."""
    return b"pjrt_ifrt" in start or bool(re.match(rb"\x80[\x02-\x05]", start))


def _is_proto(start: bytes) -> bool:
    """An `HloModuleProto` begins with its name and that of its entry computation; an `HloProto` with one."""
    inner = re.match(rb"\n[\x80-\xff]*[\0-\x7f](?=\n)", start)
    for begin in (0, inner.end() if inner else 0):
        length = start[begin + 1] if len(start) > begin + 1 else 0
        name = start[begin + 2 : begin + 2 + length]
        is_name = bool(name) and name.isascii() and name.decode().isprintable()
        if is_name and start[begin : begin + 1] == b"\n" and start[begin + 2 + length :][:1] == b"\x12":
            return True
    return False


def _is_mlir(start: bytes) -> bool:
    return start.startswith(_BYTECODE) or bool(_MODULE.match(start))


def _is_exported(start: bytes) -> bool:
    """A flatbuffer without a file identifier, of the table `Exported` in "jax/_src/export/serialization.fbs"
    (jax 0.8.3 to 0.12.0.1): an offset to the table, which begins with that of the list of its fields' places,
    0 for a field that it has not. The first field is the schema's version, which is a small number.
    """
    try:
        (table,) = struct.unpack_from("<I", start)
        fields = table - struct.unpack_from("<i", start, table)[0]
        length, size = struct.unpack_from("<2H", start, fields)
        places = struct.unpack_from(f"<{length // 2 - 2}H", start, fields + 4)
        (version,) = struct.unpack_from("<H", start, table + places[0])
    except (struct.error, IndexError):
        return False
    if fields < 4 or length % 2 or not 0 < version < 256 or not all(place < size for place in places):
        return False
    return len(places) > max(_NEEDED) and all(places[at] >= 4 for at in _NEEDED)


_MARKS: dict[Kind, Callable[[bytes], object]] = {
    Kind.CACHE_ENTRY: lambda start: start.startswith((ZSTD, ZLIB)),
    Kind.HLO: _SCHEDULED.match,
    Kind.HLO_BEFORE: re.compile(rb"HloModule\b").match,
    Kind.MLIR: _is_mlir,
    Kind.EXPORTED: _is_exported,
    Kind.PROTO: _is_proto,
    Kind.EXECUTABLE: _is_executable,
}
