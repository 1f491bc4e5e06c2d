"""Inspect how JAX traces, lowers and compiles a function.

Importing this package imports neither jax nor anything else that is slow.
"""

from __future__ import annotations

TYPE_CHECKING = False  # not from `typing`, whose import would take longer than all of `--version`
if TYPE_CHECKING:
    from typing import Any

    from jitinspect.api.inspecting import Inspection, Reading, inspect, read
    from jitinspect.api.profiling import Profiling, profile
    from jitinspect.api.watching import CompileLog, CompileSummary, watch
    from jitinspect.process.marks import mark

__version__ = "0.1.0"
__all__ = [
    "CompileLog", "CompileSummary", "Inspection", "Profiling", "Reading", "__version__",
    "inspect", "mark", "profile", "read", "watch",
]  # fmt: skip

_MARKS = "jitinspect.process.marks"
_INSPECTING, _PROFILING, _WATCHING = (
    f"jitinspect.api.{module}" for module in ("inspecting", "profiling", "watching")
)
_HOMES = {
    "CompileLog": _WATCHING, "CompileSummary": _WATCHING, "Inspection": _INSPECTING, "Profiling": _PROFILING,
    "Reading": _INSPECTING, "inspect": _INSPECTING, "profile": _PROFILING, "read": _INSPECTING,
    "watch": _WATCHING,
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Each public name is imported when it is first asked for: all but `mark` need jax. Raises
    `jitinspect.errors.UnavailableError` where there is none that works.
    """
    from importlib import import_module

    if name == "mark":
        return getattr(import_module(_MARKS), name)
    if name in _HOMES:
        from jitinspect.jaxapi.version import required

        with required():
            return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext jitinspect`."""
    from jitinspect.api.notebook import magics

    magics.load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """`%unload_ext jitinspect`: watches no longer, and leaves nothing behind."""
    from jitinspect.api.notebook import magics

    magics.unload(shell)
