"""A jaxpr's text with the Python lines of its equations."""

from __future__ import annotations

from typing import Any

import jax

from jitinspect.errors import UnavailableError
from jitinspect.ir.jaxprs import FramesAt
from jitinspect.ir.program import Frame


def printed(traced: jax.stages.Traced) -> tuple[str, FramesAt]:
    """The text, as `str(traced.jaxpr)`, and what tells the frames of an equation by where it begins.

    JAX's printer fills a `source_map`: for each line of text the columns of each equation, with its
    traceback (0.10.2 and 0.12.0.1). Raises `UnavailableError` where a JAX has none.
    """
    source_map: list[list[tuple[int, int, Any]]] = []
    try:
        text: str = traced.jaxpr.pretty_print(source_map=source_map, use_color=False)
    except (AttributeError, TypeError):
        raise UnavailableError("this JAX does not tell the lines of a jaxpr's equations") from None
    return text, _Lines(source_map)


class _Lines:
    """The frames of the equation that begins at a row and a column."""

    def __init__(self, source_map: list[list[tuple[int, int, Any]]]) -> None:
        self._rows = source_map
        self._known: dict[int, tuple[Frame, ...]] = {}

    def __call__(self, row: int, column: int) -> tuple[Frame, ...]:
        spans = self._rows[row] if row < len(self._rows) else []
        return next((self._frames(found) for start, _, found in spans if start == column), ())

    def _frames(self, traceback: Any) -> tuple[Frame, ...]:
        """Frames of JAX's own are left out; many equations share a traceback."""
        if id(traceback) not in self._known:  # the jaxpr keeps it alive
            self._known[id(traceback)] = tuple(user_frames(traceback))
        return self._known[id(traceback)]


def user_frames(traceback: Any) -> list[Frame]:
    """`jax._src.source_info_util.user_frames` of a traceback, innermost first (0.10.2 and 0.12.0.1)."""
    from jax._src.source_info_util import user_frames as of_user

    return [Frame(frame.file_name, frame.start_line, frame.function_name) for frame in of_user(traceback)]
