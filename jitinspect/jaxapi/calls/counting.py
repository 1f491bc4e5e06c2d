"""How often each jitted function is called, and where: `jax.jit` returns a proxy that counts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import CodeType, FrameType
from typing import Any

import jax

from jitinspect.jaxapi.calls.events import being_staged
from jitinspect.jaxapi.calls.frames import filter_jit_call, position
from jitinspect.jaxapi.calls.proxies import (
    JitProxy,
    Watched,
    context,
    eval_shape_of_unwrapped,
    evaluating,
    jit_returning_proxies,
    user_frame,
)
from jitinspect.jaxapi.jits.facts import facts_of_function

Places = dict[tuple[str, CodeType, int], int]
"""File, code and instruction of the caller → number of calls. Code of equal text in two files is equal."""


class Counts:
    """The calls of each function, by name and definition. Calls by several threads at the very same moment
    may be counted once.
    """

    def __init__(self) -> None:
        self._places: dict[tuple[str, str | None], Places] = {}

    def places(self, fun: Any) -> Places:
        """Where the calls of a function are counted."""
        name = getattr(fun, "__name__", type(fun).__name__)
        return self._places.setdefault((name, facts_of_function(fun)["definition"]), {})

    def count_of(self, name: str, definition: str | None) -> int:
        """The calls of one function so far, including the current one."""
        return sum(self._places.get((name, definition), {}).values())

    def calls(
        self, shorten: Callable[[str | None], str | None]
    ) -> Mapping[tuple[str, str | None], Mapping[str | None, int]]:
        """By function and line; `shorten` turns a file name into the one for reports."""
        counted: dict[tuple[str, str | None], dict[str | None, int]] = {}
        for (name, definition), places in list(self._places.items()):
            lines = counted.setdefault((name, shorten(definition)), {})
            for (_, code, instruction), number in list(places.items()):
                line = shorten(position(code, instruction))
                lines[line] = lines.get(line, 0) + number
        return {key: lines for key, lines in counted.items() if lines}


class _NullRecorder:
    """A recorder that records nothing: for counting calls, ahead-of-time stages do not matter."""

    def ahead_of_time(self) -> AbstractContextManager[None]:
        return nullcontext()

    def prepared(self, *_: Any) -> None: ...

    def cleared(self, *_: Any) -> None: ...


_NULL_RECORDER: Any = _NullRecorder()


def counting_proxy(jit: Any, made_at: tuple[CodeType, int], counts: Counts) -> JitProxy:
    """What a program gets instead of `jit`; the counter costs one more Python frame."""
    watched, getframe = Watched(made_at), sys._getframe
    places, indirect = counts.places(jit._fun), watched.indirect

    def call(*args: Any, **kwargs: Any) -> Any:
        if context.trace is evaluating or not being_staged():
            frame, counter = getframe(1), places
            if indirect:
                frame, counter = _through_library(frame, places, counts)
            code = frame.f_code
            place = (code.co_filename, code, frame.f_lasti)
            try:
                counter[place] += 1
            except KeyError:
                counter[place] = 1
        return jit(*args, **kwargs) if kwargs else jit(*args)

    return JitProxy(call, jit, watched, _NULL_RECORDER)


def _through_library(frame: FrameType, places: Places, counts: Counts) -> tuple[FrameType, Places]:
    """For a call through a library: the user's frame, and for equinox's `filter_jit` the user's function."""
    outer_call = filter_jit_call(frame)
    if outer_call is not None:
        wrapper = outer_call[2]
        places = counts.places(getattr(wrapper, "__wrapped__", wrapper))
    return user_frame(frame), places


@contextmanager
def counting(counts: Counts) -> Iterator[None]:
    """Count the calls of all jits that are made until the end of the `with`, except JAX's own."""
    jit, eval_shape = jax.jit, jax.eval_shape
    jax.jit = jit_returning_proxies(jit, lambda new_jit, made_at: counting_proxy(new_jit, made_at, counts))
    jax.eval_shape = eval_shape_of_unwrapped(eval_shape)
    try:
        yield
    finally:
        jax.jit, jax.eval_shape = jit, eval_shape
