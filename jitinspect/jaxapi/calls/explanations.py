"""JAX's own explanation of a miss (`jax_explain_cache_misses`), to be shown next to ours."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import jax

from jitinspect.jaxapi.devices import option
from jitinspect.model import Reason

LOGGERS = ("jax._src.interpreters.partial_eval", "jax._src.pjit")
"""Who explains, from 0.9 on and in 0.8."""
_START = "TRACING CACHE MISS"
_KEYS = re.compile(r"symmetric difference of key sets: \{(.*)\}")
_TYPES = re.compile(
    r"now (?:<class '(?:\w+\.)*(\w+)'>|pytree leaf) and before (?:<class '(?:\w+\.)*(\w+)'>|pytree leaf)"
)
_NOT_TRACED = ("committed", "device", "sharding", "memory_kind", "layout", "jit_options", "transformation")
"""Kinds of causes that may apply even though the function is not traced again."""
NOTHING = "nothing: what it explains are traces, and the function was not traced"
"""Used as the explanation where JAX gives none."""


@contextmanager
def explanations(on_text: Callable[[str], None]) -> Iterator[None]:
    """Call `on_text` with each explanation, on the thread of the call; none of them is printed.

    JAX looks at every earlier key for each, so that a thousand misses take forty times as long (0.10.2). The
    setting is not part of any cache key. Logger and message seen on 0.8.3 to 0.12.0.1.
    """
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = option("jax_explain_cache_misses")

    def keep(record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if not text.startswith(_START):
            return True
        on_text(text)
        return bool(before)

    for logger in loggers:
        logger.addFilter(keep)
    jax.config.update("jax_explain_cache_misses", True)
    try:
        yield
    finally:
        jax.config.update("jax_explain_cache_misses", before)
        for logger in loggers:
            logger.removeFilter(keep)


def agrees(text: str, reasons: Iterable[Reason]) -> bool:
    """Whether JAX's explanation mentions all these reasons, in the words of 0.8.3 to 0.12.0.1."""
    listed = list(reasons)
    if text == NOTHING:
        return any(reason.kind in _NOT_TRACED for reason in listed)
    return all(_mentions(text, reason) for reason in listed)


def _mentions(text: str, reason: Reason) -> bool:
    now = f"{reason.now}".replace("{weak}", "")
    match reason.kind:
        case "new_function":
            return "never seen function" in text or "another function defined on the same line" in text
        case "cache_cleared":
            return "never seen function" in text
        case "static_value":
            return "Static(" in text and now in text
        case "call_form":
            return "lengths do not match" in text or "key sets" in text
        case "structure":
            return "different input pytree" in text and _mentions_structure(text, reason)
        case "mesh":
            return "Tracing context doesn't match" in text and "mesh" in text
    return f"{reason.where}" in text and now in text


def _mentions_structure(text: str, reason: Reason) -> bool:
    """By the keys that were added or removed, or else by the two types; differing lengths are enough."""
    ours = f"{reason.before} {reason.now}"
    if keys := _KEYS.search(text):
        return all(key.strip() in ours for key in keys[1].split(","))
    if types := _TYPES.search(text):
        now, before = types[1] or "[", types[2] or "["
        return now in f"{reason.now}" and before in f"{reason.before}"
    return "lengths do not match" in text or "metadata" in text
