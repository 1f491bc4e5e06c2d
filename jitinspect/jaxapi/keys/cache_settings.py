"""The settings of JAX's persistent cache, as a fresh JAX of this environment would have them.

They come from environment variables alone, so that jax need not be imported to know them. What each does is
that of `compilation_cache`, `compiler._cache_write` and `lru_cache` (0.8.3 to 0.12.0.1).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

NO_LIMIT = -1
_FALSE = ("n", "no", "f", "false", "off", "0")
"""What `config.bool_env` takes for it (0.8.3 to 0.12.0.1)."""


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """`folder` is where entries are kept, None if there is none, and `enabled` whether it is used.

    An entry is written if its compilation took `least_seconds` and it has `least_bytes`. `most_bytes` is what
    all entries may take together; only with it JAX notes when it last used each, and takes a lock.
    """

    folder: str | None = None
    enabled: bool = True
    least_seconds: float = 1.0
    least_bytes: int = 0
    most_bytes: int = NO_LIMIT

    @property
    def needs_filelock(self) -> bool:
        return self.most_bytes != NO_LIMIT


def settings(environ: Mapping[str, str] = os.environ) -> CacheSettings:
    """A value that JAX would refuse is left out: whatever starts JAX will be told."""
    usual = CacheSettings()
    return CacheSettings(
        environ.get("JAX_COMPILATION_CACHE_DIR") or None,
        environ.get("JAX_ENABLE_COMPILATION_CACHE", "").lower() not in _FALSE,
        float(_number(environ, "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", usual.least_seconds)),
        int(_number(environ, "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", usual.least_bytes)),
        int(_number(environ, "JAX_COMPILATION_CACHE_MAX_SIZE", usual.most_bytes)),
    )


def _number(environ: Mapping[str, str], name: str, otherwise: float) -> float:
    try:
        return float(environ[name])
    except (KeyError, ValueError):
        return otherwise


def has_filelock() -> bool:
    """Whether JAX can lock the folder, as it must to keep it below a size."""
    return find_spec("filelock") is not None


def has_epath() -> bool:
    """Whether JAX can reach folders that are not local ones, such as `gs://…`."""
    return find_spec("etils") is not None and find_spec("etils.epath") is not None
