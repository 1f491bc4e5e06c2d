"""`--watch`: a report, made again whenever a file of the user's is saved.

Each is made in a fork of this process, which has imported JAX, but nothing of the user's, and has started no
backend. So it is what a new run of the command would print: no module, no cache and no setting of an earlier
one can be in it.
"""

from __future__ import annotations

import os
import pickle
import select
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import Any, NoReturn

from jitinspect.cli.core import resume_collection
from jitinspect.cli.faults import as_known
from jitinspect.cli.streams import own_stdout
from jitinspect.cli.watch_output import Shown
from jitinspect.cli.work import Core, Work
from jitinspect.devices.lifeline import Child, Parent, fork
from jitinspect.errors import (
    INTERRUPTED,
    CompileError,
    JitinspectError,
    UnavailableError,
    UsageError,
)
from jitinspect.files.kinds import parts_of
from jitinspect.ir.attribution import is_users
from jitinspect.jaxapi.version import import_jax
from jitinspect.process.saved_files import SavedFiles, Stamp, stamp
from jitinspect.process.user_imports import could_be, read_from_source
from jitinspect.targets.loading import parse_ref
from jitinspect.targets.modules import source_file

_LOOK = 0.05
"""Seconds between two looks at the files: some microseconds for each."""
_SHARED = ("jax", "jaxlib", "jitinspect", "numpy", "ml_dtypes")
"""Packages whose modules start nothing when they are imported, and are the same in each run."""
Stamps = Mapping[str, "Stamp | None"]


@dataclass(frozen=True, slots=True)
class Read:
    """What `core` gave, or the error that it raised, and the user's files that were read for it."""

    result: Any
    error: JitinspectError | None
    stamps: Stamps


@dataclass(frozen=True, slots=True)
class Made:
    """A report, or the error. `modules` were imported for it, and may as well be imported before the next."""

    report: Any = None
    error: JitinspectError | None = None
    stamps: Stamps = field(default_factory=dict)
    modules: tuple[str, ...] = ()


def watched(work: Work, emit: Callable[..., None]) -> None:
    """Ends by Ctrl-C, when nobody reads stdout any more, and by an error of the first run that no save can
    mend, which is raised.
    """
    if not work.devices.devices and work.file is None:
        import_jax()
    resume_collection()
    shown, reader = Shown(work, emit), _Reader()
    own = _own_files(work)
    files = SavedFiles()
    files.read(own)
    saved: tuple[str, ...] = ()
    while not reader.is_gone():
        began = time.perf_counter()
        made = _made(work, files)
        if not isinstance(made, Made):
            saved = tuple(dict.fromkeys(saved + made))
            continue
        files.read(made.stamps)
        if made.error is None:
            files.keep_only({**own, **made.stamps})
        elif not saved and not _may_be_mended(made.error, files):
            raise made.error
        shown.next(made.report, made.error, saved, time.perf_counter() - began)
        if not files.files:
            raise UsageError("nothing to watch: no file of yours was read", hint="leave --watch out")
        shown.watching(files.files)
        _import_all(made.modules)
        saved = _next_saved(files, reader)


def _own_files(work: Work) -> dict[str, Stamp | None]:
    """Those that are known before anything is read: the modules of the target, or the file that it is; of a
    folder, all that is in it.
    """
    if work.file is not None:
        path = parts_of(work.file)[0].absolute()
        return {str(one): stamp(str(one)) for one in (path, *(path.iterdir() if path.is_dir() else ()))}
    found = filter(None, map(source_file, _modules(work)))
    return {str(path): stamp(str(path)) for path in (one.absolute() for one in found)}


def _modules(work: Work) -> list[str]:
    """Those that the command line names, each by its name or path."""
    if work.file is not None:
        return []
    return [parse_ref(ref)[0] for ref in (work.fields["ref"], work.fields.get("args_from")) if ref]


def _may_be_mended(error: JitinspectError, files: SavedFiles) -> bool:
    """Not a command line that is wrong, nor something that is missing on this machine."""
    return bool(files.files) and not isinstance(error, UsageError | UnavailableError)


def _next_saved(files: SavedFiles, reader: _Reader) -> tuple[str, ...]:
    """Waits. Empty if the reader is gone."""
    while not (saved := files.saved()) and not reader.is_gone():
        time.sleep(_LOOK)
    return saved


def _made(work: Work, files: SavedFiles) -> Made | tuple[str, ...]:
    """A report that is made from the files as they are; if some are saved meanwhile, these."""
    child = fork(partial(_serve, work))
    try:
        while not (saved := files.saved()):
            if select.select([child.answers], [], [], _LOOK)[0]:
                return _answer(child)
        return saved
    finally:
        child.end()


def _answer(child: Child) -> Made:
    try:
        made: Made = pickle.load(child.answers)
    except EOFError:
        return Made(error=CompileError(f"the process that made it ended with {child.ending()}"))
    return made


def _serve(work: Work, parent: Parent) -> NoReturn:
    parent.end_with()
    try:
        made = _make(work)
    except KeyboardInterrupt:
        os._exit(INTERRUPTED)
    except Exception as error:
        made = Made(error=as_known(error))
    parent.answer(made)


def _make(work: Work) -> Made:
    before = {*sys.modules}
    found: list[Read] = work.reports(partial(_reading, work.core, _modules(work)))
    stamps = {file: known for read in found for file, known in read.stamps.items()}
    modules = tuple(name for name in sys.modules if name not in before and name.partition(".")[0] in _SHARED)
    for read in found:
        if read.error is not None:
            return Made(None, read.error, stamps, modules)
    return Made(work.joined([read.result for read in found]), None, stamps, modules)


def _reading(core: Core, modules: Collection[str], **given: Any) -> Read:
    """`core(…)`, in this process or in a worker, whichever is to carry it out."""
    stamps: dict[str, Stamp | None] = {}
    read_from_source(lambda name, file: name in modules or is_users(file), stamps.__setitem__)
    try:
        return Read(core(**given), None, stamps)
    except JitinspectError as error:
        return Read(None, error, {**_missing(error), **stamps} if stamps else {})


def _missing(error: JitinspectError) -> Stamps:
    """The files that a module which was not found could come from."""
    cause = error.__context__
    if not isinstance(cause, ModuleNotFoundError) or not cause.name:
        return {}
    return {file: stamp(file) for file in could_be(cause.name)}


def _import_all(modules: Iterable[str]) -> None:
    for name in modules:
        with suppress(ImportError):
            import_module(name)


class _Reader:
    """Whoever reads our stdout, if that is a pipe."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._poll.register(os.dup(own_stdout().fileno()), 0)

    def is_gone(self) -> bool:
        return any(event & select.POLLERR for _, event in self._poll.poll(0))
