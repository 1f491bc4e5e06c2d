"""Inspect how JAX traces, lowers and compiles a function.

Importing this package imports neither jax nor anything else that is slow.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jitinspect.api import (
        CompileLog,
        CompileSummary,
        Inspection,
        Profiling,
        Reading,
        inspect,
        profile,
        read,
        watch,
    )
    from jitinspect.process.marks import mark

__version__ = "0.1.0"
__all__ = [
    "CompileLog", "CompileSummary", "Inspection", "Profiling", "Reading", "__version__",
    "inspect", "mark", "profile", "read", "watch",
]  # fmt: skip

_HOMES = {"mark": "jitinspect.process.marks"}
_API = "jitinspect.api"


def __getattr__(name: str) -> Any:
    """Each public name is imported when it is first asked for: all but `mark` need jax. Raises
    `jitinspect.errors.UnavailableError` where there is none that works.
    """
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name in __all__:
        from jitinspect.jaxapi.version import required

        with required():
            return getattr(import_module(_API), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
