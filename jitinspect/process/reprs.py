"""The program's values as text for messages: in one line, cut, without addresses; functions by name."""

from __future__ import annotations

import inspect
import re
from typing import Any

from jitinspect.process.paths import relative

LONGEST = 120
"""Characters of a value's repr that are shown."""


def short_repr(value: Any) -> str:
    """The repr in one line, cut and without addresses; functions by name. Works even if the repr fails."""
    name = None if isinstance(value, type) or not callable(value) else function_name(value)
    return name or shortened(full_repr(value))


def shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def full_repr(value: Any) -> str:
    """Works even if the repr, which the program may define, fails."""
    try:
        return re.sub(r"\s+", " ", re.sub(r" at 0x[0-9a-f]+", "", repr(value)))
    except Exception:
        return f"<{type(value).__name__}>"


def function_name(value: Any) -> str | None:
    """`jax.nn.gelu`; for a function within another, where it is defined: `<lambda> (train.py:12)`. None for
    what has no such name.
    """
    try:
        name, module = value.__qualname__, value.__module__
    except Exception:
        return None
    if not isinstance(name, str):
        return None
    place = definition_of(value)
    if "<" not in name:
        return f"{module}.{name}"
    return f"{name.rpartition('.')[2]}{f' ({place})' if place else ''}"


def definition_of(function: Any) -> str | None:
    """`train.py:12`, where a Python function, or the one that it wraps, is defined; in an installed package
    from the package on.
    """
    try:
        code = inspect.unwrap(function).__code__
        return f"{relative(code.co_filename).rpartition('site-packages/')[2]}:{code.co_firstlineno}"
    except Exception:
        return None
