"""The compile processes of a worker, one for each compilation, stopped when what was asked for is known."""

from __future__ import annotations

import os
import pickle
import select
import shutil
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from jitinspect.devices import dump_folder
from jitinspect.devices.lifeline import Child
from jitinspect.devices.names import DeviceTarget
from jitinspect.devices.zygote import Zygote
from jitinspect.errors import CompileError
from jitinspect.ir import out_of_memory
from jitinspect.jaxapi.executables.absent import Compilation, Outcome

_PAUSE = 0.01
"""Seconds between looks at the dump folder."""


class Compilers:
    """Compiles for `device`, in processes of the `zygote`; `full` waits for each compiler's end. `folder` is
    for dumps. With `weigh`, a program that does not fit is no error: what takes the memory is what was asked
    for.

    The first compile process is started before it is needed: it loads its compiler while the function is
    traced.
    """

    def __init__(self, zygote: Zygote, device: DeviceTarget, folder: str, full: bool, weigh: bool) -> None:
        self._zygote = zygote
        self._device = device
        self._folder = folder
        self._full = full
        self._weigh = weigh
        self._spare: Child | None = self._started()

    def compile(self, compilation: Compilation) -> Outcome:
        """Raises `CompileError` with what the compiler says, if it fails."""
        child, self._spare = self._spare or self._started(), None
        try:
            child.send(replace(compilation, records=self._full))
            ended = self._wait(child, Path(compilation.dump))
            return self._outcome(child, compilation, ended)
        except BrokenPipeError:
            raise self._crashed(child) from None
        finally:
            child.end()
            self._remove(compilation.dump)

    def dump(self) -> str:
        """A new folder for the dump of one compilation."""
        return tempfile.mkdtemp(prefix=dump_folder.OURS, dir=self._folder)

    def _started(self) -> Child:
        child = self._zygote.start()
        device = self._device
        with suppress(BrokenPipeError):  # it is found to have ended when it is used
            child.send((device.platform, device.topology, dict(device.topology_options)))
        return child

    def _wait(self, child: Child, dump: Path) -> bool:
        """Until the compiler ends, which is True, or may be stopped."""
        watch = dump_folder.Watch(dump, self._device.platform)
        while not select.select([child.answers], [], [], _PAUSE)[0]:
            if not self._full and watch.is_complete():
                return False
        return True

    def _outcome(self, child: Child, compilation: Compilation, ended: bool) -> Outcome:
        texts = dump_folder.read(Path(compilation.dump), compilation.name)
        if not ended:
            return texts.outcome()
        try:
            answer = pickle.load(child.answers)
        except EOFError:
            raise self._crashed(child) from None
        if isinstance(answer, Outcome):
            return texts.added_to(answer)
        if out_of_memory.parse(answer.message) is None:
            raise self._failed(answer.message)
        if self._weigh and texts.hlo:
            return texts.outcome(refused=answer.message)
        raise self._failed(answer.message, hint="jitinspect fit shows what takes the memory, by line")

    def _failed(self, message: str, hint: str | None = None) -> CompileError:
        """In one line; all of it is part of what the compilers print."""
        os.write(2, f"{message}\n".encode())
        return CompileError(f"XLA failed for {self._device.text}: {message.partition(chr(10))[0]}", hint=hint)

    def _crashed(self, child: Child) -> CompileError:
        told = f"the compiler for {self._device.text} ended with {child.ending()}"
        return CompileError(told, hint="-v shows what it printed")

    def _remove(self, dump: str) -> None:
        """A dump that was not asked for by others, who remove their own."""
        if os.path.basename(dump).startswith(dump_folder.OURS):
            shutil.rmtree(dump, ignore_errors=True)
