"""The process that opens entries: it answers after each, so that it is known which one ended it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from jitinspect.devices.lifeline import Parent
from jitinspect.errors import JitinspectError
from jitinspect.jaxapi.version import import_jax


@dataclass(frozen=True, slots=True)
class Task:
    """The paths of entries for one platform, which are opened in this order."""

    platform: str | None
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ready:
    """The first answer: JAX has started, or `why` it has not."""

    why: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """The answer for an entry: why JAX does not open it, or None."""

    why: str | None


def main() -> None:
    parent = Parent.of_arguments()
    task: Task = parent.receive()
    _be_quiet()
    try:
        import_jax()
        from jitinspect.jaxapi.keys.cache_opening import opener

        open_entry = opener(task.platform)
    except (JitinspectError, RuntimeError, AssertionError) as error:
        parent.answer(Ready(str(error).strip().split("\n")[0] or "JAX finds no backend"))
    parent.end_with()
    parent.tell(Ready())
    for path in task.paths[:-1]:
        parent.tell(Opened(open_entry(path)))
    parent.answer(Opened(open_entry(task.paths[-1])))


def _be_quiet() -> None:
    """What XLA prints of a damaged entry, such as its own stack, is of no use to the user."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    sys.stdout.flush()
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
