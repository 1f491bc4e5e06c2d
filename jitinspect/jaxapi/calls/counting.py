"""How often each jitted function is called, and where: a counter in front of what `jax.jit` returns."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import CodeType, FrameType
from typing import Any

import jax

from jitinspect.jaxapi.calls.events import being_staged
from jitinspect.jaxapi.calls.frames import filter_jit_call, position
from jitinspect.jaxapi.calls.fronts import (
    Front,
    Watched,
    context,
    eval_shape_behind_fronts,
    evaluating,
    jit_behind_fronts,
    user_frame,
)
from jitinspect.jaxapi.jits.facts import facts_of_function

Places = dict[tuple[CodeType, int], int]
"""Code and instruction of the caller → number of calls."""


class Counts:
    """The calls of each function, by name and definition. Threads that call at the very same moment may be
    counted as one.
    """

    def __init__(self) -> None:
        self._places: dict[tuple[str, str | None], Places] = {}

    def places(self, fun: Any) -> Places:
        """Where the calls of a function are counted."""
        name = getattr(fun, "__name__", type(fun).__name__)
        return self._places.setdefault((name, facts_of_function(fun)["definition"]), {})

    def of(self, name: str, definition: str | None) -> int:
        """The calls of one function so far, the one that is going on included."""
        return sum(self._places.get((name, definition), {}).values())

    def calls(
        self, spoken: Callable[[str | None], str | None]
    ) -> Mapping[tuple[str, str | None], Mapping[str | None, int]]:
        """By function and line; `spoken` makes of a file name what a report tells."""
        counted: dict[tuple[str, str | None], dict[str | None, int]] = {}
        for (name, definition), places in list(self._places.items()):
            lines = counted.setdefault((name, spoken(definition)), {})
            for (code, instruction), number in list(places.items()):
                line = spoken(position(code, instruction))
                lines[line] = lines.get(line, 0) + number
        return {key: lines for key, lines in counted.items() if lines}


class _Bystander:
    """In the place of a recorder: whoever counts calls does not look at what is made ahead of time."""

    def ahead_of_time(self) -> AbstractContextManager[None]:
        return nullcontext()

    def prepared(self, *_: Any) -> None: ...

    def cleared(self, *_: Any) -> None: ...


_BYSTANDER: Any = _Bystander()


def counted(jit: Any, made_at: tuple[CodeType, int], counts: Counts) -> Front:
    """The function that a program gets instead of `jit`; the counter costs one more frame of Python's."""
    watched, getframe = Watched(made_at), sys._getframe
    places, indirect = counts.places(jit._fun), watched.indirect

    def call(*args: Any, **kwargs: Any) -> Any:
        if context.trace is evaluating or not being_staged():
            frame, told = getframe(1), places
            if indirect:
                frame, told = _through(frame, places, counts)
            place = (frame.f_code, frame.f_lasti)
            try:
                told[place] += 1
            except KeyError:
                told[place] = 1
        return jit(*args, **kwargs) if kwargs else jit(*args)

    return Front(call, jit, watched, _BYSTANDER)


def _through(frame: FrameType, places: Places, counts: Counts) -> tuple[FrameType, Places]:
    """A library stands between: the user's line, and for a `filter_jit` of equinox's the user's function."""
    through = filter_jit_call(frame)
    if through is not None:
        wrapper = through[2]
        places = counts.places(getattr(wrapper, "__wrapped__", wrapper))
    return user_frame(frame), places


@contextmanager
def counting(counts: Counts) -> Iterator[None]:
    """Have the calls of all jits counted that are made until the end of the `with`; JAX's own are not."""
    jit, eval_shape = jax.jit, jax.eval_shape
    jax.jit = jit_behind_fronts(jit, lambda made, made_at: counted(made, made_at, counts))
    jax.eval_shape = eval_shape_behind_fronts(eval_shape)
    try:
        yield
    finally:
        jax.jit, jax.eval_shape = jit, eval_shape
