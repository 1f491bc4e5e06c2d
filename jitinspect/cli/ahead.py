"""A worker that is started ahead of the command that needs it.

Python and JAX take half a second to start, which they do while the command is imported and read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from jitinspect.errors import UnavailableError

if TYPE_CHECKING:
    from jitinspect.devices.waiting import Worker

COMMANDS = frozenset({
    "collectives", "compile-time", "constants", "cost", "diff", "donation", "explore", "fit", "hlo", "passes",
    "sharding", "show", "source", "stablehlo",
})  # fmt: skip
"""Those that take `--target`."""
_started: list[Worker] = []


@contextmanager
def worker_ahead(argv: Sequence[str]) -> Iterator[None]:
    """Around a command: if the command line asks for another device, a worker is started, and is ended at the
    end unless it was `taken`.
    """
    if argv[:1] and argv[0] in COMMANDS and any(word.partition("=")[0] == "--target" for word in argv):
        from jitinspect.devices.waiting import Worker

        with suppress(UnavailableError):  # it is told where a worker is needed
            _started.append(Worker.started())
    try:
        yield
    finally:
        if worker := taken():
            worker.end()


def taken() -> Worker | None:
    """The worker that was started ahead, which from now on is the caller's; None if there is none left."""
    return _started.pop() if _started else None
