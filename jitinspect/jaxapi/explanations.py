"""JAX's own explanation of a miss (`jax_explain_cache_misses`), to be shown beside ours."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import jax

from jitinspect.jaxapi.devices import option

_LOGGER = "jax._src.interpreters.partial_eval"
_START = "TRACING CACHE MISS"


@contextmanager
def explanations(on_text: Callable[[str], None]) -> Iterator[None]:
    """Have `on_text` told, on the thread of the call, of each explanation; none of them is printed.

    JAX looks at every earlier key for each, so that a thousand misses take forty times as long (0.10.2). The
    setting is in no cache key. Logger and message seen on 0.10.2 and 0.12.0.1.
    """
    logger = logging.getLogger(_LOGGER)
    before = option("jax_explain_cache_misses")

    def keep(record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if not text.startswith(_START):
            return True
        on_text(text)
        return bool(before)

    logger.addFilter(keep)
    jax.config.update("jax_explain_cache_misses", True)
    try:
        yield
    finally:
        jax.config.update("jax_explain_cache_misses", before)
        logger.removeFilter(keep)
