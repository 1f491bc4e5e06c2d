"""An entry's file → its decompressed bytes, within limits: a few kilobytes may expand to gigabytes."""

from __future__ import annotations

import io
import os
import stat
import zlib
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal, NamedTuple

from jitinspect.files.cache.remote import fetched, is_remote
from jitinspect.model.cache import State

Compression = Literal["zlib", "zstd"]

MOST_KEPT = 32 << 20
"""Bytes of an entry that are kept, to be looked into."""
MOST_EXPANDED = 256 << 20
"""Bytes to which an entry may expand. What comes after them is not read."""
_UNSUSPECTED, _MOST_TIMES = 64 << 20, 64
"""Above so many bytes, one that expands to so many times its size is not read either: executables expand to
three to ten times theirs.
"""
_BLOCK = 1 << 20
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZLIB_FIRST = 0x78
"""Of any zlib stream with the usual window, which is the one that JAX writes."""
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class Expanded(NamedTuple):
    """What a file expands to: the first bytes, all of them up to `MOST_KEPT`, and how many there are, as far
    as they were read. `why` says why not to their end, and `state` what that makes of the entry.

    `cut_off` is whether the file only ends too early, as one does that is still being written. `written` is
    when it was last modified, in seconds since 1970.
    """

    head: bytes
    size: int
    compression: Compression | None
    file_size: int
    written: float
    why: str | None = None
    state: State = "sound"
    cut_off: bool = False


class _Unsound(Exception):
    def __init__(self, why: str, state: State = "damaged", cut_off: bool = False) -> None:
        super().__init__(why)
        self.why, self.state, self.cut_off = why, state, cut_off


def expand(path: str) -> Expanded:
    """Read and decompress a file. A FIFO or a device is not opened, which could have an effect, and what
    takes the file's place meanwhile is not waited for. Raises `FileNotFoundError` if it is gone.
    """
    if is_remote(path):
        return _expanded_remote(path)
    try:
        _require_file(os.stat(path))
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except _Unsound as error:
        return _unopened(path, error.why)
    except OSError as error:
        return _unopened(path, _why_unopened(path, error))
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return _unopened(path, "it is not a file any more")
        return _expanded(descriptor, status.st_size, status.st_mtime)
    finally:
        os.close(descriptor)


def _expanded_remote(path: str) -> Expanded:
    try:
        with fetched(path, MOST_EXPANDED) as (file, size, written):
            return _expanded(file.fileno(), size, written)
    except OSError as error:
        return Expanded(b"", 0, None, 0, 0.0, f"it cannot be read: {error.strerror}", "unreadable")


def _unopened(path: str, why: str) -> Expanded:
    status = os.lstat(path)
    return Expanded(b"", 0, None, status.st_size, status.st_mtime, why, "unreadable")


def _why_unopened(path: str, error: OSError) -> str:
    if os.path.islink(path) and isinstance(error, FileNotFoundError):
        return f"it is a link to {os.readlink(path)}, which does not exist"
    return f"it cannot be read: {error.strerror}"


def _expanded(descriptor: int, file_size: int, written: float) -> Expanded:
    kept: list[bytes] = []
    size, compression, problem = 0, None, None
    most = min(MOST_EXPANDED, max(_UNSUSPECTED, _MOST_TIMES * file_size))
    try:
        first = os.read(descriptor, min(file_size + 1, _BLOCK))  # for a short one a short buffer
        compression = _compression(first)
        for block in _BLOCKS[compression](first, descriptor):
            if size < MOST_KEPT:
                kept.append(block[: MOST_KEPT - size])
            size += len(block)
            if size > most:
                raise _Unsound(f"it expands to more than {most >> 20} MiB", "too_large")
    except OSError as error:
        problem = _Unsound(f"it cannot be read: {error.strerror}", "unreadable")
    except _Unsound as error:
        problem = error
    found = Expanded(b"".join(kept), size, compression, file_size, written)
    return found if problem is None else found._replace(**vars(problem))


def _require_file(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "of another kind")
        raise _Unsound(f"it is {kind}, not a file", "unreadable")


def _compression(first: bytes) -> Compression:
    if not first:
        raise _Unsound("it is empty", cut_off=True)
    if first[0] == _ZLIB_FIRST:
        return "zlib"
    if first[:4] == _ZSTD_MAGIC:
        return "zstd"
    if _ZSTD_MAGIC.startswith(first):
        raise _Unsound("it is cut off", cut_off=True)
    raise _Unsound(f"it is neither zlib nor zstd: it begins with {first[:4].hex(' ')}")


def _zlib_blocks(first: bytes, descriptor: int) -> Iterator[bytes]:
    """The first block is up to `MOST_KEPT` long."""
    decompressor, given, most = zlib.decompressobj(), first, MOST_KEPT
    while True:
        try:
            block = decompressor.decompress(given, most)
        except zlib.error as error:
            raise _Unsound(f"its zlib stream is damaged: {_plain(error)}") from None
        if block:
            yield block
            most = _BLOCK
        if decompressor.eof:
            return
        given = decompressor.unconsumed_tail or os.read(descriptor, _BLOCK)
        if not given:
            raise _Unsound("it is cut off", cut_off=True)


def _plain(error: zlib.error) -> str:
    """`Error -3 while decompressing data: incorrect data check` → what follows the colon."""
    return str(error).rpartition(": ")[2]


def _zstd_blocks(first: bytes, descriptor: int) -> Iterator[bytes]:
    package = zstd_package()
    if package is None:
        raise _Unsound("it is compressed with zstd: pip install zstandard reads it", "unreadable")
    os.lseek(descriptor, 0, os.SEEK_SET)
    blocks = _with_zstandard if package == "zstandard" else _with_python
    module = import_module(package)
    try:
        with open(descriptor, "rb", buffering=0, closefd=False) as file:
            yield from blocks(module, file)
    except module.ZstdError as error:
        raise _Unsound(f"its zstd stream is damaged: {str(error).rpartition(': ')[2]}") from None


def _with_zstandard(zstandard: Any, file: io.FileIO) -> Iterator[bytes]:
    """Its reader does not tell the end of a stream from one that is cut off. JAX needs the size that a frame
    begins with, and so can be relied on here.
    """
    try:
        size = zstandard.get_frame_parameters(file.read(_LONGEST_FRAME_HEADER)).content_size
    except zstandard.ZstdError:
        raise _Unsound("it is cut off", cut_off=True) from None
    file.seek(0)
    reader, read = zstandard.ZstdDecompressor().stream_reader(file, read_size=_BLOCK), 0
    while block := reader.read(_BLOCK if read else MOST_KEPT):
        read += len(block)
        yield block
    if read != size:
        raise _Unsound("it is cut off", cut_off=True)


_LONGEST_FRAME_HEADER = 18


def _with_python(zstd: Any, file: io.FileIO) -> Iterator[bytes]:
    """From Python 3.14 on."""
    decompressor, most = zstd.ZstdDecompressor(), MOST_KEPT
    while not decompressor.eof:
        given = (file.read(_BLOCK) or b"") if decompressor.needs_input else b""
        if not given and decompressor.needs_input:
            raise _Unsound("it is cut off", cut_off=True)
        if block := decompressor.decompress(given, most):
            yield block
            most = _BLOCK


_BLOCKS = {"zlib": _zlib_blocks, "zstd": _zstd_blocks}


@cache
def zstd_package() -> str | None:
    """What JAX compresses with if it is there (`compilation_cache`, 0.8.3 to 0.12.0.1); else it uses zlib."""
    for name in ("compression.zstd", "zstandard"):
        try:
            if find_spec(name) is not None:
                return name
        except ImportError:  # there is no `compression` before Python 3.14
            continue
    return None
