"""Every call of every jitted object that a program makes, seen from in front of it.

While a `watch` lasts `jax.jit` returns a thin object in front of the one that it would return, and
`jax.stages.Compiled.__call__` is replaced likewise. A cached call pays for one more Python frame and an
entry in a list; whatever costs more is done for calls in which JAX fired a compile event. What JAX jits
for itself is left alone, and so are calls under `jax.disable_jit`, which are those of plain functions.
Seen to work on jax 0.8.3 to 0.12.0.1.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import CodeType, FrameType, MethodType
from typing import Any, Protocol

import jax
import jax.stages
from jax._src import config as _config
from jax._src import core as _core

from jitinspect.jaxapi.calls.events import being_staged, is_program, owner

context = _core.trace_ctx  # one object; what it says is the thread's own
evaluating = _core.eval_trace


class Watched:
    """What is known of one jit object; it does not hold the object, which a program may drop.

    `executable` is the number of the only executable that its calls can have used, else None; then
    `lookup(args, kwargs)` tells the executable by a look at few of the arguments, if it can. `facts` is the
    recorder's. `indirect` tells that another library's code stands between the user and the jit.
    """

    __slots__ = ("executable", "facts", "indirect", "lookup", "made_at")

    def __init__(self, made_at: tuple[CodeType, int] | None) -> None:
        self.made_at = made_at
        self.executable: int | None = None
        self.lookup: Callable[[Any, Any], int | None] = lambda args, kwargs: None
        self.facts: Any = None
        self.indirect = made_at is not None and not is_program(made_at[0])


class Recorder(Protocol):
    """Who is told of the calls."""

    fired: list[int]
    """One number, which grows with each compile event: how a call learns that it was no cached one."""
    log: list[Any]
    """Gets `(watched, code of the caller, its instruction, executable)` for each cached call."""
    most: int
    """The length of the log at which `fold` is called."""

    def fold(self) -> None: ...

    def identify(self, frame: FrameType) -> int:
        """The executable of a cached call that `watched` does not tell."""

    def missed(self, frame: FrameType, error: BaseException | None) -> None:
        """A call is over in which JAX did something, or that raised. `frame` is that of its front."""

    def cleared(self, jit: Any | None) -> None:
        """The caches of one jit were cleared, or all."""

    def ahead_of_time(self) -> AbstractContextManager[None]:
        """Around what is traced, lowered or compiled without a call."""

    def prepared(self, stage: Any, watched: Watched, jit: Any, args: Any, kwargs: Any) -> None:
        """`stage`, a Traced or a Lowered, was made of a watched jit."""

    def passed_on(self, stage: Any, following: Any) -> None:
        """`following` was made of `stage`: Traced → Lowered → Compiled."""

    def called_compiled(self, compiled: Any, frame: FrameType, error: BaseException | None) -> None:
        """A `jax.stages.Compiled` was called; `frame` is that of its front."""


def in_front_of(jit: Any, made_at: tuple[CodeType, int] | None, recorder: Recorder) -> Any:
    """The function that a program gets instead of `jit`, and that behaves as it does."""
    watched = Watched(made_at)
    fired, log, most, getframe = recorder.fired, recorder.log, recorder.most, sys._getframe
    disabled = _config.disable_jit
    hit, identify, fold = recorder.log.append, recorder.identify, recorder.fold

    def call(*args: Any, **kwargs: Any) -> Any:
        straight = context.trace is evaluating
        if (not straight and being_staged()) or disabled.value:
            return jit(*args, **kwargs)
        before = fired[0]
        try:
            result = jit(*args, **kwargs) if kwargs else jit(*args)  # an empty dict would be copied
        except BaseException as error:
            recorder.missed(getframe(), error)
            raise
        if fired[0] != before:
            recorder.missed(getframe(), None)
        else:
            caller = getframe(1)
            if not straight or watched.indirect:
                caller = user_frame(caller)
            number = watched.executable or watched.lookup(args, kwargs) or identify(getframe())
            hit((watched, caller.f_code, caller.f_lasti, number))
            if len(log) >= most:
                fold()
        return result

    return Front(call, jit, watched, recorder)


FRONT = next(c for c in in_front_of.__code__.co_consts if isinstance(c, CodeType) and c.co_name == "call")
"""The code of every such function: how one is recognised on the stack."""


class Front:
    """What a program has instead of a jit: like it in all that can be asked of it, but for its type.

    It is no function, whose attributes `functools.wraps` and JAX's own would hand on to other functions.
    `__call__` is a slot: CPython finds its descriptor on the type, which gives it this object's own function,
    so that a call costs no more than one of that function does.
    """

    __slots__ = ("__call__", "__dict__", "__weakref__", "_jit_behind", "_recorder", "_watched")

    def __init__(self, call: Any, jit: Any, watched: Watched, recorder: Recorder) -> None:
        self.__call__ = call
        self._jit_behind, self._recorder, self._watched = jit, recorder, watched
        self.__dict__ = jit.__dict__  # the very same: names, documentation, and what the program adds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._jit_behind, name)

    def __get__(self, obj: Any, owner: type | None = None) -> Any:
        return self if obj is None else MethodType(self, obj)

    def __dir__(self) -> list[str]:
        return dir(self._jit_behind)

    def __repr__(self) -> str:
        return repr(self._jit_behind)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self._jit_behind.__reduce_ex__(protocol)

    @property
    def __signature__(self) -> Any:
        return self._jit_behind.__signature__

    def trace(self, *args: Any, **kwargs: Any) -> Any:
        return self._prepared(self._jit_behind.trace, args, kwargs)

    def lower(self, *args: Any, **kwargs: Any) -> Any:
        return self._prepared(self._jit_behind.lower, args, kwargs)

    def _prepared(self, method: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        with self._recorder.ahead_of_time():
            made = method(*args, **kwargs)
        self._recorder.prepared(made, self._watched, self._jit_behind, args, kwargs)
        return made

    def eval_shape(self, *args: Any, **kwargs: Any) -> Any:
        return self._jit_behind.eval_shape(*args, **kwargs)

    def clear_cache(self) -> None:
        self._jit_behind.clear_cache()
        self._recorder.cleared(self._jit_behind)


def behind(obj: Any) -> Any:
    """The jit object behind a front; anything else is itself."""
    return obj._jit_behind if type(obj) is Front else obj


def user_frame(frame: FrameType) -> FrameType:
    """The first frame of the program's own from `frame` outwards, else the first of a library that it uses;
    `frame` itself where there is neither.
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
    """Have `recorder` told of every call, until the end of the `with`; then all is as it was.

    What a program took with `from jax import jit` in the meantime goes on to work, unwatched.
    """
    stages = jax.stages
    replaced = [
        (jax, "jit", jit_behind_fronts(jax.jit, lambda jit, made_at: in_front_of(jit, made_at, recorder))),
        (jax, "eval_shape", eval_shape_behind_fronts(jax.eval_shape)),
        (jax, "clear_caches", _clear_caches(jax.clear_caches, recorder)),
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


def jit_behind_fronts(
    original: Callable[..., Any], front: Callable[[Any, tuple[CodeType, int]], Any]
) -> Callable[..., Any]:
    """`jax.jit` that gives what `front` makes of each jit and the place where it was made; JAX's own calls of
    it get the jit itself.
    """

    @functools.wraps(original)
    def jit(*args: Any, **kwargs: Any) -> Any:
        made = original(*args, **kwargs)
        caller = sys._getframe(1)
        if owner(caller.f_code) == "jax":
            return made
        made_at = (caller.f_code, caller.f_lasti)
        if is_jit(made):
            return front(made, made_at)
        return lambda fun: front(made(fun), made_at)  # `@jax.jit(static_argnames=…)`

    return jit


def is_jit(obj: object) -> bool:
    """Whether `obj` is what `jax.jit` returns when it is not watched."""
    return type(obj).__name__ == "PjitFunction"


def eval_shape_behind_fronts(original: Callable[..., Any]) -> Callable[..., Any]:
    """JAX does less for what is a jit by its type."""

    @functools.wraps(original)
    def eval_shape(fun: Any, *args: Any, **kwargs: Any) -> Any:
        return original(behind(fun), *args, **kwargs)

    return eval_shape


def _clear_caches(original: Callable[[], None], recorder: Recorder) -> Callable[[], None]:
    @functools.wraps(original)
    def clear_caches() -> None:
        original()
        recorder.cleared(None)

    return clear_caches


def _next_stage(original: Callable[..., Any], recorder: Recorder) -> Callable[..., Any]:
    @functools.wraps(original)
    def next_stage(self: Any, *args: Any, **kwargs: Any) -> Any:
        with recorder.ahead_of_time():
            made = original(self, *args, **kwargs)
        recorder.passed_on(self, made)
        return made

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
