"""Which JAX is installed, and whether jitinspect works with it. Importing this does not import jax."""

from __future__ import annotations

import importlib.util
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jitinspect
from jitinspect.errors import UnavailableError, UsageError, first_line

OLDEST, NEWEST = (0, 8), (0, 12)
"""The oldest JAX that works, and the newest that was tested. A newer one may work, too."""

_WORKS = f"jax {'.'.join(map(str, OLDEST))} to {'.'.join(map(str, NEWEST))}"
_WRITTEN = re.compile(r'^_?version(?:: [^=\n]*)? = "([^"]+)"', re.MULTILINE)
"""In `jax/version.py`, seen from 0.7.2 to 0.12.0.1."""


def import_jax() -> None:
    """Raises `UnavailableError` for a JAX that is missing, too old, or cannot be imported; `UsageError` for a
    bad setting in the environment, which jax names in a ValueError.
    """
    try:
        import jax
    except ValueError as error:
        raise UsageError(
            f"cannot import jax: {error}", hint="check the JAX_… environment variables"
        ) from None
    except Exception as error:
        raise _not_imported(error) from None
    if not hasattr(jax, "__version__"):
        place = next(iter(getattr(jax, "__path__", [getattr(jax, "__file__", "?")])))
        raise UnavailableError(f"{place} is called jax, but is not JAX", hint="rename it")
    refuse_too_old(jax.__version__)


def refuse_too_old(version: str | None) -> None:
    """Raises `UnavailableError` for a version that is too old; None is an unknown version."""
    if version is not None and _numbers(version) < OLDEST:
        message = f"jax {version} is too old for jitinspect: it works with {_WORKS}"
        raise UnavailableError(message, hint=f"pip install 'jax>={'.'.join(map(str, OLDEST))}'")


def installed() -> str | None:
    """The version of the JAX that an import would find; None if only an import could tell."""
    try:
        spec = importlib.util.find_spec("jax")
        text = (Path(spec.origin).with_name("version.py") if spec and spec.origin else Path()).read_text()
    except (OSError, ValueError, ImportError):
        return None
    written = _WRITTEN.search(text)
    return written[1] if written else None


@contextmanager
def required() -> Iterator[None]:
    """Around what needs a working JAX. Raises `UnavailableError` if there is none."""
    import_jax()
    try:
        yield
    except Exception as error:
        raise too_new(error) or error from error


def too_new(error: Exception) -> UnavailableError | None:
    """What to say instead of a bug in jitinspect if this JAX is newer than those that were tested: that is
    the likely cause.
    """
    version = getattr(sys.modules.get("jax"), "__version__", None) or installed()
    if version is None or _numbers(version) <= NEWEST or isinstance(error, UnavailableError):
        return None
    message = f"jax {version} is newer than what jitinspect was tested with, {_WORKS}, and does not work here"
    after = f"{NEWEST[0]}.{NEWEST[1] + 1}"
    return UnavailableError(f"{message}: {_cause(error)}", hint=f"pip install 'jax<{after}'")


def why_untested() -> str | None:
    """What to say of a JAX that is newer than those that were tested; None for the others."""
    version = installed()
    return f"tested with {_WORKS}" if version is not None and _numbers(version) > NEWEST else None


def _not_imported(error: Exception) -> UnavailableError:
    """An import may fail because an old JAX meets newer packages, or a new one an old jaxlib."""
    if isinstance(error, ModuleNotFoundError) and error.name == "jax":
        message = f"jax is not installed: jitinspect works with {_WORKS}"
        return UnavailableError(message, hint="pip install jax")
    version = installed()
    try:
        refuse_too_old(version)
    except UnavailableError as too_old:
        return too_old
    message = f"cannot import jax {version or ''}".strip() + f": {first_line(error)}"
    return too_new(error) or UnavailableError(message, hint="pip install --upgrade jax jaxlib")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:2]))


def _cause(error: Exception) -> str:
    """The error, and the innermost line of jitinspect that led to it."""
    own = str(Path(jitinspect.__file__).parent)
    frames = [one for one in traceback.extract_tb(error.__traceback__) if one.filename.startswith(own)]
    at = f" at {Path(frames[-1].filename).relative_to(own)}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}: {first_line(error)}{at}"
