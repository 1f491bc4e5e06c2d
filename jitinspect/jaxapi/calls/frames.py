"""Watched calls on the stack: the jit, the arguments and the user's line, read from frames."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import CodeType, FrameType
from typing import Any, NamedTuple

from jitinspect.jaxapi.calls.events import owner
from jitinspect.jaxapi.calls.proxies import PROXY_CODE, Watched, user_frame
from jitinspect.process.code_lines import line_at


class WatchedCall(NamedTuple):
    """A watched call: the jit, and the arguments it was called with.

    `filter_jit` is equinox's wrapper through which the user called it, with the user's own arguments; None
    for a plain jit.
    """

    watched: Watched
    jit: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    filter_jit: Any = None


def proxy_frame(code: CodeType = PROXY_CODE) -> FrameType | None:
    """The innermost watched call in progress above the caller; None if there is none. `code` is that of the
    proxies.

    A frame without `before` just passes a staged call through: it is part of an outer call.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code is code and "before" in frame.f_locals:
            return frame
        frame = frame.f_back
    return None


def watched_call(frame: FrameType) -> WatchedCall:
    """The call that `frame`, of a proxy's function, makes.

    equinox sorts the arguments of a `filter_jit` into parts before it calls its jit; in its own frame
    (`_call` of equinox/_jit.py, seen in 0.13.8) they are still as the user passed them.
    """
    variables = frame.f_locals
    watched, jit = variables["watched"], variables["jit"]
    outer_call = filter_jit_call(frame.f_back)
    if outer_call is not None:
        return WatchedCall(watched, jit, *outer_call)
    return WatchedCall(watched, jit, variables["args"], variables["kwargs"])


def filter_jit_call(frame: FrameType | None) -> tuple[tuple[Any, ...], Mapping[str, Any], Any] | None:
    """Arguments, keywords and wrapper, if `frame` is the one in which equinox calls its jit."""
    if frame is None or not frame.f_code.co_filename.endswith("equinox/_jit.py"):
        return None
    outer = frame.f_locals
    if not ("jit_wrapper" in outer and "args" in outer and "kwargs" in outer):
        return None
    return outer["args"], outer["kwargs"], outer["jit_wrapper"]


def caller(frame: FrameType) -> str | None:
    """`file:line` of the user's code that led to `frame`; None if there is none on the stack."""
    above = user_frame(frame.f_back) if frame.f_back else None
    if above is None or owner(above.f_code) != "user":
        return None
    return f"{above.f_code.co_filename}:{above.f_lineno}"


Place = tuple[str, CodeType, int]
"""File, code and instruction of a caller. Code of equal text in two files is equal."""


def place(watched: Watched, frame: FrameType) -> Place:
    """Where the user makes the call of which `frame` is that of the proxy; `position` tells the line."""
    caller = frame.f_back or frame
    if watched.indirect:
        caller = user_frame(caller)
    return caller.f_code.co_filename, caller.f_code, caller.f_lasti


def position(code: CodeType, instruction: int) -> str | None:
    """`file:line` of one instruction (a byte offset, as `f_lasti`) of the user's code."""
    line = line_at(code, instruction) if owner(code) == "user" else None
    return f"{code.co_filename}:{line}" if line is not None else None
