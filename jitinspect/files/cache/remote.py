"""Cache folders that are not local, such as `gs://bucket/cache`: read by `etils.epath`, as JAX does."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from jitinspect.errors import LoadError, UnavailableError
from jitinspect.jaxapi.keys.cache_settings import has_epath


def is_remote(path: str) -> bool:
    return "://" in path


def names(folder: str) -> list[str]:
    """Raises `LoadError` for a folder that cannot be listed, `UnavailableError` if a package is missing."""
    try:
        return [path.name for path in _path(folder).iterdir()]
    except UnavailableError:
        raise
    except (ImportError, KeyError) as error:  # epath raises a KeyError for a scheme that it does not know
        what = error if isinstance(error, ImportError) else f"etils.epath does not know {error.args[0]}"
        raise UnavailableError(f"{folder} cannot be listed: {what}") from None
    except Exception as error:  # of whatever package reaches it
        raise LoadError(f"{folder} cannot be listed: {error}") from None


@contextmanager
def fetched(path: str, most: int) -> Iterator[tuple[IO[bytes], int, float]]:
    """A file's contents, its size, and when it was written. Raises `OSError` if it has more than `most`
    bytes, or cannot be read.
    """
    there = _path(path)
    try:
        status = there.stat()
        if status.length > most:
            raise OSError(0, f"it has more than {most >> 20} MiB")
        contents = there.read_bytes()
    except OSError:
        raise
    except Exception as error:
        raise OSError(0, str(error)) from None
    with tempfile.TemporaryFile() as file:
        file.write(contents)
        file.seek(0)
        yield file, status.length, float(status.mtime or 0)


def require_local(folder: str, command: str) -> None:
    """Raises `UnavailableError` for a folder that is not on this machine."""
    if is_remote(folder):
        raise UnavailableError(f"{command} works on local folders, and {folder} is none", hint="cache ls")


def _path(path: str) -> Any:
    if not has_epath():
        raise UnavailableError(f"{path} is not a local folder", hint="pip install 'etils[epath]'")
    from etils import epath  # type: ignore[import-untyped,unused-ignore]

    return epath.Path(path)
