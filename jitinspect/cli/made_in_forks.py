"""Reports made one after the other, each in a fork of this process.

This process has imported JAX, but nothing of the user's, and has started no backend. So each report is what a
new run of the command would print: no module, no cache and no setting of an earlier one can be in it.
"""

from __future__ import annotations

import os
import pickle
import select
import sys
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from typing import Any, NoReturn

from jitinspect.cli.ahead import taken
from jitinspect.cli.core import resume_collection
from jitinspect.cli.faults import as_known
from jitinspect.cli.interrupts import interrupted_afterwards
from jitinspect.cli.work import Core, Work
from jitinspect.devices.lifeline import Child, Parent, fork
from jitinspect.devices.waiting import Worker
from jitinspect.errors import INTERRUPTED, CompileError, JitinspectError
from jitinspect.ir.attribution import is_users
from jitinspect.jaxapi.version import import_jax
from jitinspect.process.saved_files import SavedFiles, Stamp, stamp
from jitinspect.process.user_imports import could_be, read_from_source
from jitinspect.targets.loading import parse_ref

LOOK = 0.05
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


class Maker:
    """Carries out a piece of work again and again; is to be closed."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._worker = taken()
        if not work.devices.devices and work.file is None:
            import_jax()
        resume_collection()

    def __enter__(self) -> Maker:
        return self

    def __exit__(self, *_: object) -> None:
        self._end_worker()

    def make(self, files: SavedFiles) -> Made | tuple[str, ...]:
        """A report that is made from the files as they are; if some are saved meanwhile, these."""
        child = fork(partial(_serve, self._work_with_worker()))
        try:
            while not (saved := files.saved()):
                if select.select([child.answers], [], [], LOOK)[0]:
                    return _answer(child)
            return saved
        finally:
            child.end()
            self._end_worker()

    def prepare(self, made: Made) -> None:
        """For the next, after this one: import what it needs; for a device, start the worker."""
        _import_all(made.modules)
        if self._work.devices.devices:
            self._worker = Worker.started()

    def _work_with_worker(self) -> Work:
        if self._worker is not None and not self._worker.is_waiting():
            self._end_worker()
        return replace(self._work, devices=replace(self._work.devices, worker=self._worker))

    def _end_worker(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.end()


def modules_of(work: Work) -> list[str]:
    """Those that the command line names, each by its name or path."""
    if work.file is not None:
        return []
    return [parse_ref(ref)[0] for ref in (work.fields["ref"], work.fields.get("args_from")) if ref]


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
    found: list[Read] = work.reports(partial(_reading, work.core, modules_of(work)))
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
    with interrupted_afterwards():
        for name in modules:
            with suppress(ImportError):
                import_module(name)
