"""A module in a folder of XLA's dumps as the target of a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jitinspect.devices.dump_folder import DumpTexts
from jitinspect.files.compiled import CompiledModule, module_of_proto, module_of_text
from jitinspect.files.compiled_pipelines import DumpPipeline
from jitinspect.files.contents import contents, text
from jitinspect.files.dumps import ModuleFiles
from jitinspect.files.opening_compiled import RunningCompiled, started
from jitinspect.files.worker import understood
from jitinspect.ir.backend_configs import with_sorted_keys
from jitinspect.stages.inspection import Listeners, Request
from jitinspect.stages.observer import Observer


@dataclass(frozen=True, slots=True)
class _Dumped:
    """The optimized module, or if XLA did not get there, the one that it was given, and the text of that."""

    module: CompiledModule
    before: str
    is_compiled: bool


@dataclass(frozen=True, slots=True)
class RunningDump(RunningCompiled):
    """A request about such a module."""

    before: str
    is_compiled: bool
    files: Mapping[str, Path]
    start: str

    def pipeline(self) -> DumpPipeline:
        executable = self.module.executable if self.is_compiled else None
        return DumpPipeline(self.traced, executable, self.before, self.files, self.start)


def opened_dump(
    files: ModuleFiles, request: Request, observer: Observer, listeners: Listeners
) -> RunningDump:
    """Raises `LoadError` for what is cut off."""
    found = _dumped(files, dict(request.mesh))
    understood()
    known: dict[str, Any] = {
        "before": found.before,
        "is_compiled": found.is_compiled,
        "files": {name: files.folder / name for name in files.files},
        "start": files.start,
    }
    return started(RunningDump, found.module, request.ref, request, observer, listeners, **known)


def _dumped(files: ModuleFiles, mesh: Mapping[str, int]) -> _Dumped:
    if after := _module(files, "after", mesh):
        return _Dumped(replace(after, executable=_with_buffers(files, after)), _before(files), True)
    if before := _module(files, "before", mesh):
        return _Dumped(before, before.executable.text, False)
    raise files.missing()


def _before(files: ModuleFiles) -> str:
    if path := files.find("before"):
        return text(path)
    path = files.find("before_proto")
    return module_of_proto(contents(path), str(path), {}).executable.text if path else ""


def _module(files: ModuleFiles, which: str, mesh: Mapping[str, int]) -> CompiledModule | None:
    """From its text, or its proto; None if there is neither."""
    if path := files.find(which):
        return module_of_text(with_sorted_keys(text(path)), str(path), mesh)
    if path := files.find(f"{which}_proto"):
        return module_of_proto(contents(path), str(path), mesh)
    return None


def _with_buffers(files: ModuleFiles, module: CompiledModule) -> Any:
    """What the dump says of its memory."""
    assignment, live_ranges = files.find("assignment"), files.find("live_ranges")
    if assignment is None:
        return module.executable
    texts = DumpTexts(module.executable.text, text(assignment), text(live_ranges) if live_ranges else "")
    return replace(module.executable, dumped=texts.outcome())
