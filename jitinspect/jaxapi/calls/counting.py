"""How often each jitted function is called, and where: `jax.jit` returns a proxy that counts."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import CodeType, FrameType
from typing import Any, Protocol

import jax

from jitinspect.jaxapi.calls.events import being_staged
from jitinspect.jaxapi.calls.frames import Place, filter_jit_call, position
from jitinspect.jaxapi.calls.proxies import (
    JitProxy,
    Watched,
    context,
    eval_shape_of_unwrapped,
    evaluating,
    is_jit,
    jit_returning_proxies,
    reporting_clear_caches,
    unwrapped,
    user_frame,
)
from jitinspect.jaxapi.jits.facts import facts_of_function

_QUICK = 256
"""Places of one function that are found by identity."""


class Places:
    """Where the calls of one function are made, and how many."""

    def __init__(self) -> None:
        self.quick: dict[tuple[int, int], tuple[list[int], CodeType]] = {}
        """By the identity of the code, and the instruction: the counter, and the code, so that its identity
        stays its own. To hash code takes microseconds: all that is defined in it is hashed with it.
        """
        self._counters: dict[Place, list[int]] = {}

    def counter(self, code: CodeType, instruction: int) -> list[int]:
        """The one of a place that is not in `quick`: code that is executed anew may be equal to earlier."""
        if len(self.quick) >= _QUICK:
            self.quick.clear()
        counter = self._counters.setdefault((code.co_filename, code, instruction), [0])
        self.quick[id(code), instruction] = counter, code
        return counter

    def numbers(self) -> list[tuple[Place, int]]:
        """The calls of each place so far."""
        return [(place, counter[0]) for place, counter in list(self._counters.items())]


class Counts:
    """The calls of each function, by name and definition. Calls by several threads at the very same moment
    may be counted once.
    """

    def __init__(self) -> None:
        self._places: dict[tuple[str, str | None], Places] = {}

    def places(self, fun: Any) -> Places:
        """Where the calls of a function are counted."""
        name = getattr(fun, "__name__", type(fun).__name__)
        return self._places.setdefault((name, facts_of_function(fun)["definition"]), Places())

    def count_of(self, name: str, definition: str | None) -> int:
        """The calls of one function so far, including the current one."""
        places = self._places.get((name, definition))
        return sum(number for _, number in places.numbers()) if places else 0

    def calls(
        self, shorten: Callable[[str | None], str | None]
    ) -> Mapping[tuple[str, str | None], Mapping[str | None, int]]:
        """By function and line; `shorten` turns a file name into the one for reports."""
        counted: dict[tuple[str, str | None], dict[str | None, int]] = {}
        for (name, definition), places in list(self._places.items()):
            lines = counted.setdefault((name, shorten(definition)), {})
            for (_, code, instruction), number in places.numbers():
                line = shorten(position(code, instruction))
                lines[line] = lines.get(line, 0) + number
        return {key: lines for key, lines in counted.items() if lines}


class CountingRecorder(Protocol):
    """Is told of the calls that are more than a call on jit's fast path."""

    fired: list[int]
    """One number, which grows with each event of such a call: this is how a call detects that it is one."""
    clearings: int
    """How often all caches were cleared."""

    def ended(self, frame: FrameType, error: BaseException | None) -> None:
        """One has ended, or a call has raised. `frame` is that of its proxy."""

    def cleared(self, jit: Any | None, made_after: int = 0) -> None:
        """The caches of one jit were cleared, or all. `made_after` is that of its `Watched`."""


class _OfProxies:
    """For counting calls, ahead-of-time stages do not matter."""

    def __init__(self, recorder: CountingRecorder) -> None:
        self.cleared = recorder.cleared

    def ahead_of_time(self) -> AbstractContextManager[None]:
        return nullcontext()

    def prepared(self, *_: Any) -> None: ...


def counting_proxy(
    jit: Any, made_at: tuple[CodeType, int] | None, counts: Counts, recorder: CountingRecorder
) -> JitProxy:
    """What a program gets instead of `jit`; the counter costs one more Python frame."""
    watched = Watched(made_at, recorder.clearings)
    getframe, clock = sys._getframe, time.perf_counter
    places, indirect, fired = counts.places(jit._fun), watched.indirect, recorder.fired
    ended = recorder.ended

    def call(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True  # for IPython
        is_eager = context.trace is evaluating
        if not is_eager and being_staged():
            return jit(*args, **kwargs)
        frame, counted = getframe(1), places
        if indirect:
            frame, counted = _through_library(frame, places, counts)
        code, instruction = frame.f_code, frame.f_lasti
        try:
            counted.quick[id(code), instruction][0][0] += 1
        except KeyError:
            counted.counter(code, instruction)[0] += 1
        before, times = fired[0], watched.times
        began = 0.0 if times is None else clock()
        try:
            result = jit(*args, **kwargs) if kwargs else jit(*args)
        except BaseException as error:
            ended(getframe(), error)
            raise
        if fired[0] != before:
            ended(getframe(), None)
        elif times is not None:
            times.ended(clock() - began)
        return result

    proxy_recorder: Any = _OfProxies(recorder)
    return JitProxy(call, jit, watched, proxy_recorder)


COUNTING_CODE = next(
    c for c in counting_proxy.__code__.co_consts if isinstance(c, CodeType) and c.co_name == "call"
)
"""The code of every such function, by which it is recognised on the stack."""


def _through_library(frame: FrameType, places: Places, counts: Counts) -> tuple[FrameType, Places]:
    """For a call through a library: the user's frame, and for equinox's `filter_jit` the user's function."""
    outer_call = filter_jit_call(frame)
    if outer_call is not None:
        wrapper = outer_call[2]
        places = counts.places(getattr(wrapper, "__wrapped__", wrapper))
    return user_frame(frame), places


@contextmanager
def counting(counts: Counts, recorder: CountingRecorder) -> Iterator[None]:
    """Count the calls of all jits that are made until the end of the `with`, except JAX's own."""
    before = jax.jit, jax.eval_shape, jax.clear_caches
    jax.jit = jit_returning_proxies(
        jax.jit, lambda new_jit, made_at: counting_proxy(new_jit, made_at, counts, recorder)
    )
    jax.eval_shape = eval_shape_of_unwrapped(jax.eval_shape)
    jax.clear_caches = reporting_clear_caches(jax.clear_caches, recorder.cleared)
    try:
        yield
    finally:
        jax.jit, jax.eval_shape, jax.clear_caches = before


@contextmanager
def counting_named(
    namespaces: Iterable[MutableMapping[str, Any]], counts: Counts, recorder: CountingRecorder
) -> Iterator[None]:
    """Count the calls of the jits that have a name in one of the namespaces, too, whenever they were made.
    At the end of the `with` each name has its plain jit again, and so has each new name.
    """
    held, proxies = list(namespaces), dict[int, JitProxy]()  # one for each jit, whatever its names
    for namespace in held:
        for name, value in list(namespace.items()):
            if is_jit(value):
                if id(value) not in proxies:
                    proxies[id(value)] = counting_proxy(value, None, counts, recorder)
                namespace[name] = proxies[id(value)]
    try:
        with counting(counts, recorder):
            yield
    finally:
        for namespace in held:
            namespace.update(
                {name: unwrapped(value) for name, value in list(namespace.items()) if type(value) is JitProxy}
            )
