"""Calls that miss JAX's fast path, and JAX's other work, seen from its events alone.

Nothing is patched and cached calls cost nothing extra: a listener reads the frames above it. The end of a
call is noticed by a mark among the locals of its frame, which is released with the frame; CPython keeps what
is written to `f_locals` as long as the frame (3.11 in its dict, 3.13 by PEP 667).
Seen on jax 0.8.3 to 0.12.0.1: `cache_miss` in `pjit._cpp_pjit`, `pjit.jit_trace`, `stages`.
"""

from __future__ import annotations

import functools
import hashlib
import signal
import sys
import traceback
import weakref
from collections.abc import Callable, Mapping
from types import CodeType, FrameType, MethodType
from typing import Any, NamedTuple

import jax
import jax.stages
from jax._src import pjit as _pjit
from jax._src import shard_map as _shard_map

from jitinspect.jaxapi.calls.events import is_internal, is_program, owner
from jitinspect.jaxapi.calls.frames import filter_jit_call


def _code(function: Any) -> CodeType | None:
    """The code of a function, without JAX's `api_boundary` around it."""
    return getattr(getattr(function, "__wrapped__", function), "__code__", None)


def _cache_miss() -> CodeType | None:
    constants = getattr(_code(getattr(_pjit, "_cpp_pjit", None)), "co_consts", ())
    found = (c for c in constants if isinstance(c, CodeType) and c.co_name == "cache_miss")
    code = next(found, None)
    known = code is not None and {"fun", "jit_info"} <= {*code.co_freevars}
    return code if known else None


CACHE_MISS = _cache_miss()
"""The code that runs for a call that misses the fast path; None if this JAX has a different one."""
_TRACE = _code(getattr(_pjit, "jit_trace", None))
BOUND_JIT = _code(getattr(_pjit, "_pjit_call_impl", None))
"""The code that runs a jit which is not called, but is a part of what JAX evaluates: within `jax.checkpoint`,
in a backward pass.
"""
_RUN = _code(getattr(_pjit, "_pjit_call_impl_python", None))
"""The code that runs a call in Python, compiled or not."""
BOUNDARY = "reraise_with_filtered_traceback"
"""The name of the function that JAX puts around each of its own that users call (`api_boundary`)."""
_AHEAD = {
    _TRACE,
    _code(getattr(_pjit, "jit_lower", None)),
    _code(jax.stages.Traced.lower),
    _code(jax.stages.Lowered.compile),
}
"""The code of ahead-of-time work."""
SHARD_MAP = _code(getattr(_shard_map, "_shard_map_impl", None))
"""The code of a `shard_map` outside of a jit: each operation is compiled on its own, anew in each call."""


def why_no_misses() -> str | None:
    """What is missing, if calls cannot be seen from the events."""
    return None if CACHE_MISS is not None else "the frames of this JAX's calls are not known"


class JitInFrame:
    """What a call's frame has of its jit, under the attribute names of a jit object."""

    def __init__(self, fun: Any, jit_info: Any) -> None:
        self._fun, self._jit_info = fun, jit_info
        name = getattr(_pjit, "fun_name", None)
        self.__name__: str = str(name(fun)) if name else getattr(fun, "__name__", type(fun).__name__)


class MissedCall(NamedTuple):
    """A call of a jit, given as `JitInFrame` or the jit itself, and its arguments; `filter_jit` as in
    `WatchedCall`. `direct` is False if code of JAX calls the jit.
    """

    jit: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    filter_jit: Any = None
    direct: bool = True


class CurrentWork(NamedTuple):
    """What JAX is working on: the frame that ends with the work, and the call, if it is for one."""

    frame: FrameType
    call: MissedCall | None
    ahead: bool

    @property
    def is_one(self) -> bool:
        """Whether all that happens in the frame belongs to one piece of work, whatever its name."""
        return self.call is not None or self.frame.f_code in (SHARD_MAP, BOUND_JIT)


def current_work() -> CurrentWork:
    """Read the stack above the caller, a listener, from the inside out: the first call that missed the fast
    path, or else the outermost of JAX's frames inside the user's. What JAX does for itself in a `shard_map`
    outside of a jit is the work of that.
    """
    work = _innermost_work(sys._getframe(1))
    if not work.ahead and (work.call is None or _is_of_jax(work.call.jit._fun)):
        frame: FrameType | None = work.frame
        while frame is not None:
            if frame.f_code is SHARD_MAP:
                return CurrentWork(frame, None, False)
            frame = frame.f_back
    return work


def _is_of_jax(fun: Any) -> bool:
    """Whether a function, or the type of a callable object, is in one of JAX's modules."""
    code = _code(fun)
    module = f"{type(fun).__module__}."
    return is_internal(code.co_filename) if code is not None else module.startswith("jax.")


def _innermost_work(frame: FrameType | None) -> CurrentWork:
    start = frame
    while frame is not None and owner(frame.f_code) != "jax":
        frame = frame.f_back
    last = frame or start
    assert last is not None
    ahead, traced, bound = False, None, None
    while frame is not None and owner(frame.f_code) == "jax":
        if frame.f_code is CACHE_MISS:
            return CurrentWork(frame, _call(frame), False)
        bound = frame if bound is None and frame.f_code is BOUND_JIT else bound
        ahead = ahead or frame.f_code in _AHEAD
        traced = frame if frame.f_code is _TRACE else traced
        last, frame = frame, frame.f_back
    if bound is not None:
        return CurrentWork(bound, None, False)
    return CurrentWork(last, _traced_call(traced) if traced else None, ahead)


def _call(frame: FrameType) -> MissedCall:
    variables = frame.f_locals
    jit = JitInFrame(variables["fun"], variables["jit_info"])
    outer_call = filter_jit_call(_outer_frame(frame))
    if outer_call is not None:
        return MissedCall(jit, *outer_call)
    return MissedCall(jit, variables["args"], variables["kwargs"], direct=_is_direct(frame))


def _traced_call(frame: FrameType) -> MissedCall:
    variables = frame.f_locals
    return MissedCall(variables["jit_func"], variables["args"], variables["kwargs"])


def _is_direct(frame: FrameType) -> bool:
    """Whether the caller is not JAX, apart from its `api_boundary` around each call."""
    above = frame.f_back
    if above is not None and above.f_code.co_name == BOUNDARY:
        above = above.f_back
    return above is None or owner(above.f_code) != "jax"


def _outer_frame(frame: FrameType) -> FrameType | None:
    """The first outer frame that belongs neither to JAX nor to a proxy."""
    above: FrameType | None = frame
    while above is not None and owner(above.f_code) in ("jax", "jitinspect"):
        above = above.f_back
    return above


class Mark:
    """Written into a frame, it holds what is known about the work done there."""

    __slots__ = ("__weakref__", "value")

    def __init__(self, value: Any) -> None:
        self.value = value


def marked(frame: FrameType, key: str) -> Any:
    """The value that `mark` left in this frame under that key, or None."""
    mark = frame.f_locals.get(key)
    return mark.value if type(mark) is Mark else None


def mark(frame: FrameType, key: str, value: Any, on_end: Callable[[Any], None]) -> Any:
    """Leave `value` in the frame, under a `key` that is not a Python name. `on_end(value)` is called when the
    frame is released: when its work is done, or nothing holds the exception that ended it any more. The
    returned reference must be kept until then.
    """
    marker = Mark(value)
    reference = weakref.ref(marker, lambda _: on_end(value))
    frame.f_locals[key] = marker
    return reference


def lowered() -> tuple[Any, Any] | None:
    """The function and the jaxpr of the call that JAX is about to lower, from the frames above the caller, a
    listener. None if it is not for a call, or for one of JAX's own operations.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and owner(frame.f_code) != "jax":
        frame = frame.f_back
    jaxpr = None
    while frame is not None and owner(frame.f_code) == "jax" and frame.f_code is not CACHE_MISS:
        if jaxpr is None and not _LOWERED.isdisjoint(frame.f_code.co_varnames):
            found = (frame.f_locals.get(name) for name in _LOWERED)
            jaxpr = next((one for one in found if hasattr(one, "eqns")), None)
        frame = frame.f_back
    if frame is None or frame.f_code is not CACHE_MISS:
        return None
    fun = frame.f_locals["fun"]
    return None if getattr(fun, "_apply_primitive", False) else (fun, jaxpr)


_LOWERED = frozenset(("closed_jaxpr", "jaxpr"))
"""The locals in which JAX's functions have it (0.8.3 to 0.12.0.1)."""


def looked_up() -> FrameType | None:
    """The frame that called the jit which JAX is about to run in Python, from the stack above the caller, a
    listener; None if it is not a call of a jit.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code is not CACHE_MISS:
        frame = frame.f_back
    while frame is not None and owner(frame.f_code) == "jax":
        frame = frame.f_back
    return frame


def effects() -> frozenset[str]:
    """The names of the effects of what JAX is about to run in Python; of all those on a `jax.Ref`,
    `RefEffect`. The fast path takes no jit that has any (`pjit._get_fastpath_data`).
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code is not _RUN:
        frame = frame.f_back
    jaxpr = frame.f_locals.get("jaxpr") if frame is not None else None
    kinds = [type(effect) for effect in getattr(jaxpr, "effects", ())]
    of_refs = {"RefEffect"} if any("RefEffect" in map(_name, kind.__mro__) for kind in kinds) else set()
    return frozenset({_name(kind) for kind in kinds if "RefEffect" not in map(_name, kind.__mro__)} | of_refs)


def _name(kind: type) -> str:
    return kind.__name__


def is_jax_internal(call: MissedCall, definition: str | None) -> bool:
    """Whether JAX made this jit for itself, as for its eager operations: jits that its own code calls, and
    those in its modules. A jit that the user made from one of JAX's functions is not, nor one of a method of
    an object (`jax.jit(x.dot)`): JAX jits methods in the class.
    """
    fun = call.jit._fun
    if getattr(fun, "_apply_primitive", False):
        return True
    if definition is None or not is_internal(definition) or isinstance(fun, MethodType):
        return False
    if not call.direct:
        return True
    module = sys.modules.get(str(getattr(fun, "__module__", None)))
    found: Any = module
    for part in getattr(fun, "__qualname__", "?").split("."):
        found = getattr(found, part, None)
    if found is not None and found is not fun and not isinstance(fun, functools.partial):
        return not _is_jit_of_another(found, call.jit)
    return any(
        getattr(member, "_jit_info", None) is call.jit._jit_info for member in vars(module or object).values()
    )


def _is_jit_of_another(found: Any, jit: Any) -> bool:
    """Whether what JAX's module has is a jit, but not this one."""
    infos = [link._jit_info for link in _wrapped_chain(found) if hasattr(link, "_jit_info")]
    return bool(infos) and all(info is not jit._jit_info for info in infos)


def _wrapped_chain(obj: Any) -> list[Any]:
    """An object and what it wraps, which `jax.custom_jvp` has as `fun`."""
    links: list[Any] = []
    while obj is not None and len(links) < 16:
        links.append(obj)
        obj = getattr(obj, "__wrapped__", None) or getattr(obj, "fun", None)
    return links


def raising_signal(error: BaseException) -> int | None:
    """The signal whose handler raised this, if it arrived just then; the handler is the program's."""
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    codes = {_code(handler): number for number, handler in handlers.items() if callable(handler)}
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return next((codes[frame.f_code] for frame in frames if frame.f_code in codes), None)


def is_from_program(error: BaseException) -> bool:
    """Whether code of the program raised it, directly or in a library that it called."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return any(owner(frame.f_code) == "user" and is_program(frame.f_code) for frame in frames)


def cleared_since(count: int, counted: bool) -> tuple[bool, int]:
    """Whether JAX's caches were cleared since it had counted `count` new signatures, and its count now.

    `jax.clear_caches()` and `clear_cache()` of any jit reset that count. With `counted` it has just been
    increased, as it is whenever a trace begins.
    """
    info: Any = getattr(getattr(_pjit, "_infer_params_cached", None), "cache_info", None)
    now: int = info().misses if info is not None else 0
    return now < count + counted, now


class Module(NamedTuple):
    """What XLA gets: its digest, and whether several processes compute it together."""

    digest: str
    shared: bool


def module() -> Module | None:
    """The module that is about to be compiled, read from the frames above the listener (`_cached_compilation`
    of pxla); without source locations, which may differ between machines.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        variables = frame.f_locals if owner(frame.f_code) == "jax" else {}
        operation = getattr(variables.get("computation"), "operation", None)
        if operation is not None:
            text: str = operation.get_asm(enable_debug_info=False)
            digest = hashlib.sha256(text.encode()).hexdigest()[:16]
            return Module(digest, _spans_processes(variables.get("da")))
        frame = frame.f_back
    return None


def _spans_processes(devices: Any) -> bool:
    try:
        return len({device.process_index for device in devices}) > 1
    except (TypeError, AttributeError):
        return False
