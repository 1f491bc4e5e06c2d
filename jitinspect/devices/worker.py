"""The worker process: it carries out a piece of work whose compilations are for a device that is not here.

The work is a function, which runs as it would in the user's own process: it loads the user's module, prints
its log on stderr, and gives a report. What the compilers print is kept apart.
"""

from __future__ import annotations

import gc
import os
import pickle
import shutil
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from jitinspect.devices.lifeline import Child, Parent
from jitinspect.devices.zygote import Zygote
from jitinspect.errors import JitinspectError
from jitinspect.jaxapi.version import required

CHATTER = "chatter"
"""The file, in the folder of a session, of what compilers print."""


def main() -> None:
    """Receives the path on which JAX is found, what its compilers are to load, and the task; answers with
    its result, or the error that it raised. JAX is imported after the chatter is kept apart, since its
    plugins print when they are. The first compiler is loaded before the task is read, which imports much.
    """
    gc.disable()
    parent, folder = Parent.of_arguments(), Path(sys.argv[1])
    keep_chatter_apart(folder / CHATTER)
    remove = partial(shutil.rmtree, folder, ignore_errors=True)
    sys.path[:] = _received(parent, before_its_end=remove)
    serve = _with_jax(parent)
    loaded = _received(parent, before_its_end=remove)
    zygote = Zygote(partial(serve, loaded), parent, str(folder))
    spare = zygote.start()
    task = _received(parent, before_its_end=zygote.remove_all)
    sys.path[:], sys.argv[:] = task.path, task.argv
    parent.end_with(before=zygote.remove_all)
    parent.answer(carried_out(task, zygote, spare, folder))


def _with_jax(parent: Parent) -> Callable[..., NoReturn]:
    """What a compile process does, which needs JAX. Where there is none that works, that is the answer."""
    try:
        with required():
            from jitinspect.devices.compile_process import serve
    except JitinspectError as error:
        parent.answer(error)
    except Exception:
        parent.answer(Fault(traceback.format_exc()))
    return serve


def _received(parent: Parent, before_its_end: Callable[[], None]) -> Any:
    """Where its parent ends without a word, so does this process, and nothing is left of it."""
    try:
        return parent.receive()
    except EOFError:
        before_its_end()
        os._exit(0)


def carried_out(task: Any, zygote: Zygote, spare: Child, folder: Path) -> Any:
    from jitinspect.devices.compilers import Compilers
    from jitinspect.jaxapi.executables.absent import compiled_by

    try:
        compilers = Compilers(zygote, spare, task.device, str(folder), task.full, task.weigh)
        with compiled_by(compilers.compile, compilers.dump):
            return pickle.loads(task.work)()
    except JitinspectError as error:
        return error
    except BaseException:
        return Fault(traceback.format_exc())


class Fault(RuntimeError):
    """The traceback of an exception that is no `JitinspectError`, and may not cross to another process."""


def keep_chatter_apart(path: Path) -> None:
    """Python's own stdout and stderr stay; what C++ writes to their descriptors goes to `path`."""
    talk = os.dup(2)
    chatter = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    os.dup2(chatter, 1)
    os.dup2(chatter, 2)
    stream = open(talk, "w", encoding="utf-8", errors="backslashreplace", buffering=1)  # noqa: SIM115
    sys.stdout = sys.stderr = stream
    vars(sys).update(__stdout__=stream, __stderr__=stream)  # whose width is the terminal's
