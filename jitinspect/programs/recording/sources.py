"""What a user names → the recordings there: files, folders, globs, and the same behind URLs.

A URL is read with fsspec, which knows `s3://`, `gs://` and others. Nothing but a URL asks the network.
"""

from __future__ import annotations

import glob
import io
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path
from typing import IO, Any, Literal, Protocol

from jitinspect.errors import LoadError, UnavailableError, first_line

SUFFIX = ".jsonl"
AT_ONCE = 32 << 20
"""Bytes that are fetched together, and kept in memory until they are read."""
MOST_AT_ONCE = 64
"""Files."""
_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+://")
_PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs", "az": "adlfs"}
"""With which fsspec reads a scheme."""


class Source(Protocol):
    """A file that can be opened more than once; its `str` is its name."""

    def open(self, mode: Literal["rb"], /) -> IO[bytes]: ...


def sources(names: Iterable[str]) -> Iterator[Source]:
    """Each recording once, those of a folder or a glob by their names; behind a URL, a few at once.

    Raises `LoadError` for a name with no recordings and for a URL that cannot be read, `UnavailableError` if
    a package is missing for it. A file that cannot be read is told by whoever opens it.
    """
    named = (_remote(name) if _URL.match(name) else _local(name) for name in names)
    found = {str(one): one if isinstance(one, Remote) else None for one in chain.from_iterable(named)}
    for batch in _batches(found[name] or Path(name) for name in found):
        yield from _fetched(batch)


def _local(name: str) -> Sequence[Path]:
    """A name that exists is no glob."""
    path = Path(name)
    if path.is_dir():
        return _some(name, _in_folder(path))
    if path.exists() or not glob.has_magic(name):
        return [path]
    matches = map(Path, sorted(glob.glob(name, recursive=True)))
    found = [_in_folder(match) if match.is_dir() else [match] for match in matches]
    return _some(name, list(chain.from_iterable(found)))


def _in_folder(path: Path) -> list[Path]:
    return sorted(found for found in path.rglob(f"*{SUFFIX}") if found.is_file())


def _some(name: str, files: Sequence[Any]) -> Sequence[Any]:
    if not files:
        hint = f"in a folder, recordings are the files that end in {SUFFIX}"
        raise LoadError(f"{name}: no recordings there", hint=hint)
    return files


# URLs


@dataclass(frozen=True, slots=True)
class Remote:
    """A file that is fetched when it is opened, to a file of no name."""

    filesystem: Any
    path: str
    size: int

    def __str__(self) -> str:
        return str(self.filesystem.unstrip_protocol(self.path))

    def open(self, mode: Literal["rb"], /) -> IO[bytes]:
        file = tempfile.TemporaryFile()  # noqa: SIM115 (whoever opens this closes it)
        for start in range(0, self.size, AT_ONCE):
            with _told(str(self)):
                file.write(self.filesystem.cat_file(self.path, start, start + AT_ONCE))
        file.seek(0)
        return file


@dataclass(frozen=True, slots=True)
class Fetched:
    name: str
    contents: bytes

    def __str__(self) -> str:
        return self.name

    def open(self, mode: Literal["rb"], /) -> IO[bytes]:
        return io.BytesIO(self.contents)


def _batches(found: Iterable[Path | Remote]) -> Iterator[list[Path | Remote]]:
    """As many as may be fetched at once."""
    batch: list[Path | Remote] = []
    room = AT_ONCE
    for one in found:
        size = one.size if isinstance(one, Remote) else 0
        if batch and (size > room or len(batch) == MOST_AT_ONCE):
            yield batch
            batch, room = [], AT_ONCE
        batch.append(one)
        room -= size
    yield batch


def _fetched(batch: Iterable[Path | Remote]) -> Iterator[Source]:
    """Those that are not too large, all at once where the file system can."""
    for filesystem, group in groupby(batch, lambda one: getattr(one, "filesystem", None)):
        files = list(group)
        if filesystem is None or any(isinstance(one, Remote) and one.size > AT_ONCE for one in files):
            yield from files
            continue
        names = list(map(str, files))
        with _told(names[0]):
            paths = [one.path for one in files if isinstance(one, Remote)]
            contents = filesystem.cat_ranges(paths, None, None, on_error="raise")
        contents.reverse()  # so that each is let go of when it has been read
        for name in names:
            yield Fetched(name, contents.pop())


def _remote(url: str) -> Sequence[Remote]:
    filesystem, path = _connected(url)
    with _told(url):
        found = _matches(filesystem, path)
    return _some(url, [Remote(filesystem, name, found[name].get("size") or 0) for name in sorted(found)])


def _matches(filesystem: Any, path: str) -> Mapping[str, Mapping[str, Any]]:
    """Files by their path, with what the file system says of them."""
    if glob.has_magic(path) and not filesystem.exists(path):
        matches = filesystem.glob(path, detail=True)
    else:
        matches = {path: filesystem.info(path)}
    found = {}
    for name, about in matches.items():
        if about["type"] == "directory":
            below = filesystem.find(name, detail=True)
            found.update({one: below[one] for one in below if one.endswith(SUFFIX)})
        else:
            found[name] = about
    return found


def _connected(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the path in it."""
    scheme = url.partition("://")[0].lower()
    try:
        from fsspec.core import url_to_fs  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        raise UnavailableError(f"{url} cannot be read without fsspec", hint=_install(scheme)) from None
    try:
        filesystem, path = url_to_fs(url)
    except ImportError as error:
        raise UnavailableError(f"{url} cannot be read: {first_line(error)}", hint=_install(scheme)) from None
    except Exception as error:  # of whatever package reaches it
        raise LoadError(f"{url} cannot be read: {first_line(error)}") from None
    return filesystem, path


def _install(scheme: str) -> str:
    package = _PACKAGES.get(scheme)
    return "pip install 'jitinspect[fleet]'" + (f" {package}" if package else "")


@contextmanager
def _told(url: str) -> Iterator[None]:
    """What goes wrong on the way, in whatever package."""
    try:
        yield
    except Exception as error:
        raise LoadError(f"{url} cannot be read: {first_line(error)}") from None
