"""JAX's events while it traces, lowers and compiles, and what the stack adds to them.

The event names are those of `jax.monitoring` (public to listen to, the names are
not documented); they fire synchronously, on the compiling thread, and inside the
very call that compiles. What an event omits - the function's definition, its
arguments, the user's line - is read from the frames above the listener. Seen on
jax 0.8.3 to 0.12.0.1.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from types import CodeType, FrameType
from typing import Any, Literal

import jax
import jax.monitoring
from jax._src import core as _core
from jax._src import monitoring as _monitoring
from jax._src import pjit as _pjit
from jax._src import util as _util
from jax._src.interpreters import partial_eval as _partial_eval

import jitinspect
from jitinspect.jaxapi.devices import option
from jitinspect.model import Phase
from jitinspect.process.paths import is_installed
from jitinspect.process.tracebacks import machinery

PHASES: dict[str, Phase] = {
    "/jax/core/compile/jaxpr_trace_duration": "trace",
    "/jax/core/compile/jaxpr_to_mlir_module_duration": "lower",
    "/jax/core/compile/backend_compile_duration": "compile",
}
"""Names of JAX's duration events. A "trace" also wraps a mere lookup in the trace cache."""

CACHE_HIT = "/jax/compilation_cache/cache_hits"
CACHE_LOOKUP = "/jax/compilation_cache/compile_requests_use_cache"
CACHE_WRITE = "/jax/compilation_cache/cache_misses"
"""JAX is about to look for an entry on disk, and to write one."""

Owner = Literal["jax", "jitinspect", "machinery", "user"]
OnStart = Callable[[Phase, str], None]
OnEnd = Callable[[Phase, str, float], None]
OnCacheHit = Callable[[], None]


@lru_cache(maxsize=1024)
def plain_name(fun_name: str) -> str:
    """Lowerings and compilations are named `jit(f)`, traces `f`. What has no name is an unnamed function to
    its jit in every JAX, to the events of 0.8 an unnamed wrapped one.
    """
    name = fun_name.removeprefix("jit(").removesuffix(")") if fun_name.startswith("jit(") else fun_name
    return "<unnamed function>" if name == "<unnamed wrapped function>" else name


def subscribe(
    on_start: OnStart,
    on_end: OnEnd | None = None,
    on_cache_hit: OnCacheHit | None = None,
    on_body: Callable[[], None] | None = None,
    on_cache: Callable[[str], None] | None = None,
    on_lookup: Callable[[], None] | None = None,
) -> Callable[[], None]:
    """Listen to JAX's compile events until the returned function is called.

    `on_start(phase, fun_name)` and `on_end(phase, fun_name, seconds)` wrap each
    stage; `on_cache_hit()` fires between the two if an executable came from
    the persistent cache; `on_body()` when a function's body is traced, which does not happen in a lookup
    that finds a trace; `on_cache` gets `CACHE_LOOKUP` and `CACHE_WRITE`; `on_lookup()` is called when Python
    is about to run a call that the fast path did not. Unsubscribing removes only these listeners.
    """

    # A trace that is a part of a further one is not told of: 0.8 and 0.9 have events for those, too

    def scalar(event: str, value: float | int, **kwargs: Any) -> None:
        if (phase := PHASES.get(event)) and not (phase == "trace" and being_staged()):
            on_start(phase, str(kwargs.get("fun_name", "?")))
            if on_body is not None and phase == "trace" and _EVENT_IS_BODY:
                on_body()

    def duration(event: str, duration_secs: float, **kwargs: Any) -> None:
        assert on_end is not None
        if (phase := PHASES.get(event)) and not (phase == "trace" and being_staged()):
            on_end(phase, str(kwargs.get("fun_name", "?")), duration_secs)

    def plain(event: str, **kwargs: Any) -> None:
        if on_cache_hit is not None and event == CACHE_HIT:
            on_cache_hit()
        elif on_cache is not None and event in (CACHE_LOOKUP, CACHE_WRITE):
            on_cache(event)

    hooks = {BODY: None if _EVENT_IS_BODY else on_body, LOOKUP: on_lookup}
    unhook = _hook({name: hook for name, hook in hooks.items() if hook is not None})
    monitoring: Any = jax.monitoring
    registered: list[tuple[Callable[[Any], None], Any]] = [(_unregister("scalar_listener"), scalar)]
    monitoring.register_scalar_listener(scalar)
    if on_end is not None:
        monitoring.register_event_duration_secs_listener(duration)
        registered.append((_unregister("event_duration_listener"), duration))
    if on_cache_hit is not None or on_cache is not None:
        monitoring.register_event_listener(plain)
        registered.append((_unregister("event_listener"), plain))

    def unsubscribe() -> None:
        if unhook is not None:
            unhook()
        for unregister, listener in registered:
            with suppress(AssertionError, ValueError):  # the program may have cleared all listeners
                unregister(listener)

    return unsubscribe


def _unregister(kind: str) -> Callable[[Any], None]:
    """JAX's own function, which is private in 0.8.0."""
    private: Any = getattr(_monitoring, f"_unregister_{kind}_by_callback", None)
    found: Any = getattr(jax.monitoring, f"unregister_{kind}", private)
    return found  # type: ignore[no-any-return]


def why_no_stack_facts() -> str | None:
    """Why events come without definition and arguments, if so: this JAX has different frames."""
    return None if hasattr(_pjit, "_infer_params") else "the frames of this JAX are not known"


def persistent_cache_enabled() -> bool:
    """Whether compilations use the on-disk cache: it is on by default, but needs a folder."""
    return bool(option("jax_enable_compilation_cache") and option("jax_compilation_cache_dir"))


def being_staged() -> bool:
    """Whether JAX is tracing a function into a jaxpr: a call is then a part of that, and runs nothing."""
    trace: Any = _core.trace_ctx.trace
    while trace is not None:
        if type(trace).__name__ in ("DynamicJaxprTrace", "JaxprTrace"):
            return True
        trace = getattr(trace, "parent_trace", None)
    return False


BODY = "trace_to_jaxpr"
"""The event by which JAX's own tests see that a body is traced (`util.test_event_listener`; from 0.9.2)."""
LOOKUP = "jit_cpp_cache_miss"
"""A further one: of a call that C++ has left to Python, after its trace and before its lowering (0.8.3 to
0.12.0.1)."""
_EVENT_IS_BODY = hasattr(_pjit, "_create_pjit_jaxpr")
"""In 0.8 JAX times a trace within the function that it caches: a lookup that finds a trace fires no event."""


def has_body_events() -> bool:
    """Whether this JAX tells traces from lookups; if not, each lookup of a trace counts as a trace."""
    hooked = hasattr(_util, "test_event_listener") and hasattr(_partial_eval, BODY)
    return _EVENT_IS_BODY or hooked


def why_no_body_events() -> str | None:
    """What is missing, if lookups of a trace cannot be distinguished from traces."""
    return None if has_body_events() else "this JAX does not report when a body is traced"


def why_no_lookups() -> str | None:
    """What is missing, if calls that leave the fast path cannot be seen."""
    found = hasattr(_util, "test_event_listener") and hasattr(_pjit, "_pjit_call_impl_python")
    return None if found else "this JAX does not report which calls it looks up in Python"


def _hook(hooks: Mapping[str, Callable[[], None]]) -> Callable[[], None] | None:
    """Call these at the events of their names, in addition to any existing listener, until the returned
    function is called.
    """
    if not hooks or not hasattr(_util, "test_event_listener"):
        return None
    before = _util.test_event_listener

    def listener(name: str, *args: Any) -> None:
        if (hook := hooks.get(name)) is not None:
            hook()
        if before is not None:
            before(name, *args)

    def unhook() -> None:
        if _util.test_event_listener is listener:
            _util.test_event_listener = before

    _util.test_event_listener = listener
    return unhook


@dataclass(frozen=True, slots=True)
class StackFacts:
    """What the frames above a listener say about one event; None for what they do not.

    `definition` is `file:line` of the function that is compiled, `call` the
    arguments of a trace `(args, kwargs)`, `call_site` the user's `file:line`.
    `ours` is True if jitinspect itself caused it.
    """

    definition: str | None = None
    call: tuple[tuple[Any, ...], dict[str, Any]] | None = None
    call_site: str | None = None
    ours: bool = False


def read_stack() -> StackFacts:
    """Read the stack above the caller, a listener, up to the user's line."""
    definition = call = None
    outermost = sys._getframe(1)
    for frame in _jax_frames(outermost):
        definition = definition or _definition(frame)
        if call is None and frame.f_code.co_name == "_infer_params":
            call = _call(frame)
        outermost = frame
    caller = _caller(outermost)
    if caller is None or _owner(caller) == "jitinspect":
        return StackFacts(definition, call, ours=caller is not None)
    return StackFacts(definition, call, f"{caller.f_code.co_filename}:{caller.f_lineno}")


def is_internal(path: str) -> bool:
    """Whether `path` is a file of JAX itself (its eager operations are compiled from there)."""
    return path.startswith(_JAX)


def owner(code: CodeType) -> Owner:
    """Whose code it is: JAX's, jitinspect's, that of a library that jits for the user, or the user's."""
    return owner_of(code.co_filename)


def is_program(code: CodeType) -> bool:
    """Whether it is the user's code, and not that of an installed library or of Python itself."""
    return owner(code) == "user" and not is_installed(code.co_filename)


def _owner(frame: FrameType) -> Owner:
    return owner_of(frame.f_code.co_filename)


def _jax_frames(frame: FrameType | None) -> Iterator[FrameType]:
    """JAX's frames between a listener and the code that called JAX, innermost first."""
    while frame is not None and _owner(frame) != "jax":
        frame = frame.f_back
    while frame is not None and _owner(frame) == "jax":
        yield frame
        frame = frame.f_back


def _caller(frame: FrameType) -> FrameType | None:
    """The frame that called JAX, skipping the code with which other libraries jit."""
    caller = frame.f_back
    while caller is not None and _owner(caller) == "machinery":
        caller = caller.f_back
    return caller


# `_trace_for_jit` and the lowering below it hold the jaxpr in one of these locals
# (0.8.3 to 0.12.0.1); its debug info names the function: "f at /path/file.py:12".
_JAXPR_LOCALS = ("closed_jaxpr", "jaxpr")


def _definition(frame: FrameType) -> str | None:
    variables = frame.f_locals
    holders = [variables[name] for name in _JAXPR_LOCALS if name in variables]
    infos = [getattr(getattr(held, "jaxpr", held), "debug_info", None) for held in holders]
    for info in [*infos, variables.get("dbg")]:
        _, found, definition = str(getattr(info, "func_src_info", "")).rpartition(" at ")
        if found:
            return definition
    return None


def _call(frame: FrameType) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    args, kwargs = frame.f_locals.get("args"), frame.f_locals.get("kwargs")
    return (args, kwargs) if isinstance(args, tuple) and isinstance(kwargs, dict) else None


_JAX = os.path.dirname(jax.__file__) + os.sep
_JITINSPECT = os.path.dirname(jitinspect.__file__) + os.sep


@cache
def owner_of(path: str) -> Owner:
    if path.startswith(_JAX):
        return "jax"
    if path.startswith(_JITINSPECT):
        return "jitinspect"
    return "machinery" if path.startswith(machinery()) else "user"
