"""A jaxpr's equations with their Python lines, with its text or without it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
from jax._src import core as _core
from jax._src import source_info_util as _source_info_util

from jitinspect.errors import UnavailableError
from jitinspect.ir.jaxpr import FramesAt
from jitinspect.ir.program import Block, Frame, Operation, Program

_PLAIN = frozenset((bool, int, float, str, tuple, type(None)))
"""The types of most parameters of equations, and of what is in them. None of them is a jaxpr."""


def printed(traced: jax.stages.Traced) -> tuple[str, FramesAt]:
    """The text, as `str(traced.jaxpr)`, and a lookup of an equation's frames by where it begins.

    JAX's printer fills a `source_map`: for each line of text the columns of each equation, with its
    traceback (0.10.2 to 0.12.0.1) or with one frame of it (0.8.3, 0.9.2). Raises
    `UnavailableError` if a JAX has none.
    """
    source_map: list[list[tuple[int, int, Any]]] = []
    try:
        with _with_tracebacks():
            text: str = traced.jaxpr.pretty_print(source_map=source_map, use_color=False)
    except (AttributeError, TypeError):
        raise UnavailableError("this JAX does not report the lines of a jaxpr's equations") from None
    return text, _Lines(source_map)


class _FrameWithTraceback(_source_info_util.Frame):
    """JAX's innermost frame of a traceback, together with that traceback."""

    traceback: Any


_ONE_AT_A_TIME = threading.Lock()
_PRINTS_ONE_FRAME = "user_frame" in _core.pp_eqn.__code__.co_names
"""Whether JAX's printer puts only the innermost frame of an equation into the source map."""


@contextmanager
def _with_tracebacks() -> Iterator[None]:
    """Inside, JAX's frame of an equation also carries its traceback. To everybody else, also in other
    threads, it is the frame that it always was.
    """
    if not _PRINTS_ONE_FRAME:
        yield
        return
    with _ONE_AT_A_TIME:
        original = _source_info_util.user_frame

        def user_frame(traceback: Any) -> Any:
            if (frame := original(traceback)) is None:
                return None
            found = _FrameWithTraceback(*frame)
            found.traceback = traceback
            return found

        _source_info_util.user_frame = user_frame  # type: ignore[assignment]
        try:
            yield
        finally:
            _source_info_util.user_frame = original


class _Lines:
    """The frames of the equation that begins at a row and a column."""

    def __init__(self, source_map: list[list[tuple[int, int, Any]]]) -> None:
        self._rows = source_map
        self._known: dict[Any, tuple[Frame, ...]] = {}

    def __call__(self, row: int, column: int) -> tuple[Frame, ...]:
        spans = self._rows[row] if row < len(self._rows) else []
        return next((self.frames_of(found) for start, _, found in spans if start == column), ())

    def frames_of(self, traceback: Any) -> tuple[Frame, ...]:
        """JAX's own frames are left out. Many equations have equal tracebacks, and some have none."""
        if isinstance(traceback, _FrameWithTraceback):
            traceback = traceback.traceback
        if traceback is None:
            return ()
        if traceback not in self._known:
            self._known[traceback] = tuple(user_frames(traceback))
        return self._known[traceback]


def walked(traced: jax.stages.Traced) -> Program:
    """The program that reading the text would give, but without texts and names: for each equation its
    primitive, the types of its results and its frames. A jaxpr that several equations share appears once.

    `eqn.primitive`, `.outvars`, `.params`, `.source_info.traceback` and `aval.str_short`, on 0.8.3 to
    0.12.0.1.
    """
    return _Walk(traced.jaxpr.jaxpr).program()


class _Walk:
    """Walks a jaxpr and all the jaxprs in its equations."""

    def __init__(self, jaxpr: Any) -> None:
        self._jaxpr = jaxpr
        self._frames = _Lines([])
        self._types: dict[Any, str] = {}
        self._uses: dict[int, int] = {}
        self._shared: dict[int, Block] = {}
        self._count(jaxpr)

    def program(self) -> Program:
        entry = self._block(self._jaxpr, "main")
        entry.is_entry = True
        return Program("jaxpr", [], [*self._shared.values(), entry])

    def _count(self, jaxpr: Any) -> None:
        """How many equations hold each jaxpr."""
        for equation in jaxpr.eqns:
            for inner in inner_jaxprs(equation):
                self._uses[id(inner)] = self._uses.get(id(inner), 0) + 1
                if self._uses[id(inner)] == 1:
                    self._count(inner)

    def _block(self, jaxpr: Any, name: str) -> Block:
        return Block(name, (), [self._equation(equation) for equation in jaxpr.eqns], 0, 0)

    def _equation(self, equation: Any) -> Operation:
        inner, calls = [], []
        for jaxpr in inner_jaxprs(equation):
            if self._uses[id(jaxpr)] == 1:
                inner.append(self._block(jaxpr, ""))
                continue
            if id(jaxpr) not in self._shared:
                self._shared[id(jaxpr)] = self._block(jaxpr, f"shared {len(self._shared)}")
            calls.append(self._shared[id(jaxpr)].name)
        types = " ".join(self._type(variable.aval) for variable in equation.outvars)
        frames = self._frames.frames_of(equation.source_info.traceback)
        return Operation(
            (), equation.primitive.name, (), types, "", 0, 0, frames=frames, inner=inner, calls=tuple(calls)
        )

    def _type(self, aval: Any) -> str:
        if aval not in self._types:
            self._types[aval] = aval.str_short(short_dtypes=True)
        return self._types[aval]


def inner_jaxprs(equation: Any) -> Iterator[Any]:
    """The jaxprs among the parameters of an equation; closed ones are opened."""
    for value in equation.params.values():
        kind = type(value)
        if kind is tuple or kind not in _PLAIN:
            yield from opened(value)


def opened(value: Any) -> Iterator[Any]:
    """The jaxprs in a parameter of an equation; closed ones are opened."""
    for item in value if isinstance(value, tuple | list) else (value,):
        if type(item) not in _PLAIN and hasattr(jaxpr := getattr(item, "jaxpr", item), "eqns"):
            yield jaxpr


def user_frames(traceback: Any) -> list[Frame]:
    """`jax._src.source_info_util.user_frames` of a traceback, innermost first (0.8.3 to 0.12.0.1)."""
    frames = _source_info_util.user_frames(traceback)
    return [Frame(frame.file_name, frame.start_line, frame.function_name) for frame in frames]
