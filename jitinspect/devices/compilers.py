"""The compile processes of a worker, one for each compilation, stopped when what was asked for is known."""

from __future__ import annotations

import os
import pickle
import select
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from jitinspect.devices.lifeline import Child
from jitinspect.devices.names import DeviceTarget
from jitinspect.devices.zygote import Zygote
from jitinspect.errors import CompileError
from jitinspect.ir import out_of_memory
from jitinspect.jaxapi.executables.absent import Compilation, Outcome

_OURS = "dump-"
"""How the names of folders begin that only we read."""
_PAUSE = 0.005
"""Seconds between looks at the dump folder."""


class Compilers:
    """Compiles in processes of the `zygote`, the first in `spare`; `full` waits for each compiler's end.
    `folder` is for dumps. With `weigh`, a program that does not fit is no error: what takes the memory is
    what was asked for.

    A compile process is started before it is needed: the first loads its compiler while the function is
    traced. A second compilation makes a third likely, whose process is started at once, and so on.
    """

    def __init__(
        self, zygote: Zygote, spare: Child, device: DeviceTarget, folder: str, full: bool, weigh: bool
    ) -> None:
        self._zygote = zygote
        self._device = device
        self._folder = folder
        self._full = full
        self._weigh = weigh
        self._spare: Child | None = spare
        self._has_compiled = False

    def compile(self, compilation: Compilation) -> Outcome:
        """Raises `CompileError` with what the compiler says, if it fails."""
        child, self._spare = self._spare or self._zygote.start(), None
        if self._has_compiled and not self._full:
            self._spare = self._zygote.start()
        self._has_compiled = True
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
        return tempfile.mkdtemp(prefix=_OURS, dir=self._folder)

    def _wait(self, child: Child, dump: Path) -> bool:
        """Until the compiler ends, which is True, or may be stopped."""
        from jitinspect.devices.dump_folder import Watch  # with all that reads a dump: the compiler works

        watch = Watch(dump, self._device.platform)
        while not select.select([child.answers], [], [], _PAUSE)[0]:
            if not self._full and watch.is_complete():
                return False
        return True

    def _outcome(self, child: Child, compilation: Compilation, ended: bool) -> Outcome:
        from jitinspect.devices.dump_folder import read

        texts = read(Path(compilation.dump), compilation.name)
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
        if os.path.basename(dump).startswith(_OURS):
            shutil.rmtree(dump, ignore_errors=True)
