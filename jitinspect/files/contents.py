"""A file's bytes, decompressed within limits: a few kilobytes may expand to gigabytes."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from jitinspect.errors import LoadError, UnavailableError
from jitinspect.files.cache.expanding import zstd_package
from jitinspect.files.kinds import GZIP, ZLIB, ZSTD

MOST = 256 << 20
"""Bytes to which a file may expand."""
_BLOCK = 1 << 20


def contents(path: Path) -> bytes:
    """Raises `LoadError` for what is cut off, damaged or too large, `UnavailableError` for a compression that
    nothing here reads.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4)
            file.seek(0)
            decompress = next((one for mark, one in _READERS.items() if start.startswith(mark)), _plain)
            return _joined(path, decompress(path, file))
    except OSError as error:
        raise LoadError(f"{path} cannot be read: {error.strerror or error}") from None


def text(path: Path) -> str:
    """What is no UTF-8 in it is replaced."""
    return contents(path).decode(errors="replace")


def _joined(path: Path, blocks: Iterator[bytes]) -> bytes:
    found = bytearray()
    for block in blocks:
        found += block
        if len(found) > MOST:
            raise LoadError(f"{path} expands to more than {MOST >> 20} MiB, which is not read")
    return bytes(found)


def _plain(path: Path, file: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: file.read(_BLOCK), b"")


def _zlib(path: Path, file: IO[bytes]) -> Iterator[bytes]:
    """A zlib or a gzip stream, whose end has a check of all that comes before it."""
    stream = zlib.decompressobj(wbits=47)
    with _damage_told(path, zlib.error):
        for block in _plain(path, file):
            while block and not stream.eof:
                yield stream.decompress(block, _BLOCK)
                block = stream.unconsumed_tail
    if not stream.eof:
        raise LoadError(f"{path} is cut off: its compressed data have no end")


def _zstd(path: Path, file: IO[bytes]) -> Iterator[bytes]:
    name = zstd_package()
    if name is None:
        raise UnavailableError(f"{path} is compressed with zstd", hint="pip install zstandard")
    package: Any = import_module(name)
    errors = (package.ZstdError, EOFError)
    with _damage_told(path, *errors):
        opened = _opened(package, file)
        yield from iter(lambda: opened.read(_BLOCK), b"")


def _opened(package: Any, file: IO[bytes]) -> io.RawIOBase | IO[bytes]:
    make: Callable[[IO[bytes]], Any] = getattr(package, "ZstdFile", None) or (
        lambda file: package.ZstdDecompressor().stream_reader(file)
    )
    return make(file)  # type: ignore[no-any-return]


@contextmanager
def _damage_told(path: Path, *errors: type[Exception]) -> Iterator[None]:
    try:
        yield
    except errors as error:
        raise LoadError(f"{path} is damaged: its compressed data do not expand ({error})") from None


_READERS: dict[bytes, Callable[[Path, IO[bytes]], Iterator[bytes]]] = {
    ZLIB: _zlib,
    GZIP: _zlib,
    ZSTD: _zstd,
}
