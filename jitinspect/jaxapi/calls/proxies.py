"""Every call of every jitted object that a program makes, observed by a proxy for that object.

During a `watch`, `jax.jit` returns a thin proxy for the object that it would return, and
`jax.stages.Compiled.__call__` is replaced as well. A cached call costs one more Python frame and an entry
in a list; anything more expensive is only done for calls in which JAX fired a compile event. What JAX jits
for itself is left alone, and so are calls under `jax.disable_jit`, which are calls of plain functions.
Seen to work on jax 0.8.3 to 0.12.0.1.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import CodeType, FrameType, MethodType
from typing import Any, Protocol

import jax
import jax.stages
from jax._src import config as _config
from jax._src import core as _core

from jitinspect.jaxapi.calls.events import being_staged, is_program, owner

context = _core.trace_ctx  # one object whose contents belong to the thread
evaluating = _core.eval_trace


class Times(Protocol):
    """Told of the calls of one jit, in the threads that make them."""

    def looked_up(self, seconds: float) -> None:
        """JAX looks up a call in Python; so much of its time went into counting it."""

    def ended(self, seconds: float) -> None:
        """A cached call has ended."""

    def dropped(self) -> None:
        """A call has ended that was not cached, or that raised."""


class Watched:
    """What is known about one jit object. It does not keep the object alive.

    `executable` is the number of the only executable that its calls can have used; if there is no such
    one, it is None, and `lookup(args, kwargs)` finds the executable from a few arguments, if it can. `facts`
    belongs to the recorder, and so does `times`, which gets the seconds of each cached call, if it is not
    None. `indirect` is True if the jit was made in a library and not by the user. `made_after` is how often
    all caches had been cleared when it was made.
    """

    __slots__ = ("executable", "facts", "indirect", "lookup", "made_after", "made_at", "times")

    def __init__(self, made_at: tuple[CodeType, int] | None, made_after: int = 0) -> None:
        self.made_at = made_at
        self.made_after = made_after
        self.executable: int | None = None
        self.lookup: Callable[[Any, Any], int | None] = lambda args, kwargs: None
        self.facts: Any = None
        self.times: Times | None = None
        self.indirect = made_at is not None and not is_program(made_at[0])


class Recorder(Protocol):
    """Receives the calls."""

    fired: list[int]
    """One number, which grows with each compile event, and each look-up in Python: this is how a call detects
    that it was not simply cached.
    """
    log: list[Any]
    """Gets `(watched, code of the caller, its instruction, executable)` for each cached call."""
    most: int
    """The length of the log at which `fold` is called."""
    clearings: int
    """How often all caches were cleared."""

    def fold(self) -> None: ...

    def identify(self, frame: FrameType) -> Any:
        """The executable of a cached call for which `watched` has none, as `log` is to have it."""

    def missed(self, frame: FrameType, error: BaseException | None) -> None:
        """A call has ended in which JAX did something, or that raised. `frame` is that of its proxy."""

    def cleared(self, jit: Any | None, made_after: int = 0) -> None:
        """The caches of one jit were cleared, or all. `made_after` is that of its `Watched`."""

    def ahead_of_time(self) -> AbstractContextManager[None]:
        """Entered while something is traced, lowered or compiled without a call."""

    def prepared(self, stage: Any, watched: Watched, jit: Any, args: Any, kwargs: Any) -> None:
        """`stage`, a Traced or a Lowered, was made from a watched jit."""

    def passed_on(self, stage: Any, following: Any) -> None:
        """`following` was made from `stage`: Traced → Lowered → Compiled."""

    def called_compiled(self, compiled: Any, frame: FrameType, error: BaseException | None) -> None:
        """A `jax.stages.Compiled` was called; `frame` is that of the replaced `__call__`."""


def proxy_for(jit: Any, made_at: tuple[CodeType, int] | None, recorder: Recorder) -> Any:
    """What a program gets instead of `jit`; it behaves in the same way."""
    watched = Watched(made_at, recorder.clearings)
    fired, log, most, getframe = recorder.fired, recorder.log, recorder.most, sys._getframe
    disabled, clock = _config.disable_jit, time.perf_counter
    record_hit, identify, fold = recorder.log.append, recorder.identify, recorder.fold

    def call(*args: Any, **kwargs: Any) -> Any:
        is_eager = context.trace is evaluating
        if (not is_eager and being_staged()) or disabled.value:
            return jit(*args, **kwargs)
        before, times = fired[0], watched.times
        began = 0.0 if times is None else clock()
        try:
            result = jit(*args, **kwargs) if kwargs else jit(*args)  # an empty dict would be copied
        except BaseException as error:
            recorder.missed(getframe(), error)
            raise
        if fired[0] != before:
            recorder.missed(getframe(), None)
        else:
            if times is not None:
                times.ended(clock() - began)
            caller = getframe(1)
            if not is_eager or watched.indirect:
                caller = user_frame(caller)
            number = watched.executable or watched.lookup(args, kwargs) or identify(getframe())
            record_hit((watched, caller.f_code, caller.f_lasti, number))
            if len(log) >= most:
                fold()
        return result

    return JitProxy(call, jit, watched, recorder)


PROXY_CODE = next(c for c in proxy_for.__code__.co_consts if isinstance(c, CodeType) and c.co_name == "call")
"""The code of every such function, by which it is recognised on the stack."""


def plain_call(frame: FrameType, code: CodeType = PROXY_CODE) -> Watched | None:
    """What is called, if it is the frame of a proxy's call, and that is neither traced nor transformed."""
    if frame.f_code is not code:
        return None
    variables = frame.f_locals
    watched: Watched | None = variables["watched"] if variables.get("is_eager") else None
    return watched


class JitProxy:
    """Stands in for a jit: it looks the same in everything but its type.

    It is not a function, because `functools.wraps` and JAX's own wrappers copy a function's attributes.
    `__call__` is a slot: CPython finds its descriptor on the type, which returns this object's own function,
    so a call costs no more than a call of that function.
    """

    __slots__ = ("__call__", "__dict__", "__weakref__", "_recorder", "_watched", "_wrapped_jit")

    def __init__(self, call: Any, jit: Any, watched: Watched, recorder: Recorder) -> None:
        self.__call__ = call
        self._wrapped_jit, self._recorder, self._watched = jit, recorder, watched
        self.__dict__ = jit.__dict__  # shared: names, documentation, and what the program adds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wrapped_jit, name)

    def __get__(self, obj: Any, owner: type | None = None) -> Any:
        return self if obj is None else MethodType(self, obj)

    def __dir__(self) -> list[str]:
        return dir(self._wrapped_jit)

    def __repr__(self) -> str:
        return repr(self._wrapped_jit)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self._wrapped_jit.__reduce_ex__(protocol)

    @property
    def __signature__(self) -> Any:
        return self._wrapped_jit.__signature__

    def trace(self, *args: Any, **kwargs: Any) -> Any:
        return self._prepared(self._wrapped_jit.trace, args, kwargs)

    def lower(self, *args: Any, **kwargs: Any) -> Any:
        return self._prepared(self._wrapped_jit.lower, args, kwargs)

    def _prepared(self, method: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        with self._recorder.ahead_of_time():
            stage = method(*args, **kwargs)
        self._recorder.prepared(stage, self._watched, self._wrapped_jit, args, kwargs)
        return stage

    def eval_shape(self, *args: Any, **kwargs: Any) -> Any:
        return self._wrapped_jit.eval_shape(*args, **kwargs)

    def clear_cache(self) -> None:
        self._wrapped_jit.clear_cache()
        self._recorder.cleared(self._wrapped_jit, self._watched.made_after)


def unwrapped(obj: Any) -> Any:
    """The jit that a proxy stands for; anything else is returned as it is."""
    return obj._wrapped_jit if type(obj) is JitProxy else obj


def user_frame(frame: FrameType) -> FrameType:
    """The first frame of the program from `frame` outwards, or else the first of a library that it uses;
    `frame` itself if there is neither.
    """
    library: FrameType | None = None
    outer: FrameType | None = frame
    while outer is not None and not is_program(outer.f_code):
        if library is None and owner(outer.f_code) == "user":
            library = outer
        outer = outer.f_back
    return outer or library or frame


@contextmanager
def watch(recorder: Recorder) -> Iterator[None]:
    """Report every call to `recorder` until the end of the `with`; then everything is restored.

    What a program got by `from jax import jit` in the meantime continues to work, unwatched.
    """
    stages = jax.stages
    replaced = [
        (jax, "jit", jit_returning_proxies(jax.jit, lambda jit, made_at: proxy_for(jit, made_at, recorder))),
        (jax, "eval_shape", eval_shape_of_unwrapped(jax.eval_shape)),
        (jax, "clear_caches", reporting_clear_caches(jax.clear_caches, recorder.cleared)),
        (stages.Traced, "lower", _next_stage(stages.Traced.lower, recorder)),
        (stages.Lowered, "compile", _next_stage(stages.Lowered.compile, recorder)),
        (stages.Compiled, "__call__", _call_compiled(stages.Compiled.__call__, recorder)),
    ]
    before = [(owner_, name, getattr(owner_, name)) for owner_, name, _ in replaced]
    try:
        for owner_, name, ours in replaced:
            setattr(owner_, name, ours)
        yield
    finally:
        for owner_, name, original in before:
            setattr(owner_, name, original)


def jit_returning_proxies(
    original: Callable[..., Any], proxy: Callable[[Any, tuple[CodeType, int]], Any]
) -> Callable[..., Any]:
    """`jax.jit` that returns `proxy(jit, made_at)`, with the place where the jit was made; calls from JAX
    itself get the plain jit.
    """

    @functools.wraps(original)
    def jit(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        caller = sys._getframe(1)
        if owner(caller.f_code) == "jax":
            return result
        made_at = (caller.f_code, caller.f_lasti)
        if is_jit(result):
            return proxy(result, made_at)
        return lambda fun: proxy(result(fun), made_at)  # `@jax.jit(static_argnames=…)`

    return jit


def is_jit(obj: object) -> bool:
    """Whether `obj` is what the original `jax.jit` returns."""
    return type(obj).__name__ == "PjitFunction"


def eval_shape_of_unwrapped(original: Callable[..., Any]) -> Callable[..., Any]:
    """`jax.eval_shape` takes a shortcut for jits, which it recognises by their type."""

    @functools.wraps(original)
    def eval_shape(fun: Any, *args: Any, **kwargs: Any) -> Any:
        return original(unwrapped(fun), *args, **kwargs)

    return eval_shape


def reporting_clear_caches(
    original: Callable[[], None], cleared: Callable[[Any | None], None]
) -> Callable[[], None]:
    """`jax.clear_caches` that reports it."""

    @functools.wraps(original)
    def clear_caches() -> None:
        original()
        cleared(None)

    return clear_caches


def _next_stage(original: Callable[..., Any], recorder: Recorder) -> Callable[..., Any]:
    @functools.wraps(original)
    def next_stage(self: Any, *args: Any, **kwargs: Any) -> Any:
        with recorder.ahead_of_time():
            following = original(self, *args, **kwargs)
        recorder.passed_on(self, following)
        return following

    return next_stage


def _call_compiled(original: Callable[..., Any], recorder: Recorder) -> Callable[..., Any]:
    @functools.wraps(original)
    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            result = original(self, *args, **kwargs)
        except BaseException as error:
            recorder.called_compiled(self, sys._getframe(), error)
            raise
        recorder.called_compiled(self, sys._getframe(), None)
        return result

    return __call__
