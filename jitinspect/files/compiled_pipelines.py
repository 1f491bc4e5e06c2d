"""The stages of a program that is already compiled."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from jitinspect.errors import UnavailableError
from jitinspect.jaxapi.executables import dumps
from jitinspect.jaxapi.executables.given_executables import GivenExecutable, GivenLowering
from jitinspect.stages.pipeline import Pipeline

_STAMP = re.compile(r"\d+\.(?=module_)")
"""What XLA puts before a name if it is asked for the time."""


class CompiledPipeline(Pipeline):
    """A program that is already compiled. What is traced has its types and names alone."""

    has_jaxpr = False
    has_lowered = False

    def __init__(self, trace: Callable[[], Any], executable: GivenExecutable | None) -> None:
        super().__init__(trace)
        self._executable = executable

    def lower(self) -> Any:
        raise UnavailableError(
            "it is already compiled, and does not tell what it was compiled from",
            hint="hlo; a function MODULE:FUNCTION has all stages",
        )

    @cached_property
    def compiled(self) -> Any:
        if self._executable is None:
            raise UnavailableError(
                "the dump has no optimized module: the compiler did not get there", hint="hlo --before"
            )
        return self._executable


class DumpPipeline(CompiledPipeline):
    """One of which XLA's dump tells what was given to it, `before`, and what each pass made of that, in
    `files` by their names, which begin with `start`.
    """

    def __init__(
        self,
        trace: Callable[[], Any],
        executable: GivenExecutable | None,
        before: str,
        files: Mapping[str, Path],
        start: str,
    ) -> None:
        super().__init__(trace, executable)
        self._before = before
        self._files = files
        self._start = start

    def lower(self) -> Any:
        return GivenLowering(self._before) if self._before else super().lower()

    def kernels_dump(self, ending: str) -> dumps.Dump:
        """Raises `UnavailableError` if XLA wrote none, as it does not for TPUs."""
        if not any(name.endswith(ending) for name in self._files):
            raise UnavailableError(
                f"the dump has no kernels: no {ending} files",
                hint="from 0.12 on XLA_FLAGS=--xla_dump_emitter_re=llvm has XLA write LLVM IR",
            )
        folder = next(iter(self._files.values())).parent
        return dumps.Dump(folder, self.compiled.as_text(), start=self._start)

    @contextmanager
    def passes_dumped(self, metadata: bool = False) -> Iterator[Mapping[str, Path]]:
        """Those that are there, with metadata or without."""
        if not any(".after_" in name for name in self._files):
            raise UnavailableError(
                "the folder has no dumps of passes", hint="XLA_FLAGS=--xla_dump_hlo_pass_re=.* writes them"
            )
        yield {_STAMP.sub("", name): path for name, path in self._files.items()}
