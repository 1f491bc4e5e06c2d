"""XLA's dumps of a module after each pass: which they are, and in what order they are read.

The file names and texts are those that `jaxapi.executables.dumps.passes_dumped` asks for,
as jaxlib 0.10.2 and 0.12.0 write them on the CPU.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jitinspect.errors import UnavailableError
from jitinspect.jaxapi.executables import dumps
from jitinspect.model import Target
from jitinspect.readings.dumped_modules import DumpedModule, DumpReader
from jitinspect.stages.pipeline import Pipeline

_BETWEEN = ("pipeline-start", "after_optimizations")
"""What takes the place of a pass in the name of a dump before a pipeline's first pass, or at the end."""
_GIVEN = re.compile(r"(module_(\d+)\..*\.|module_(\d+)\.)before_optimizations\.txt")
_AFTER = re.compile(r"(\d+)\.(.+?)\.after_(.+?)(?:\.before_.+)?\.txt")
_END = re.compile(r"([a-z]+)_(after_optimizations)\.txt")
_PIECE = 2**18


@dataclass(frozen=True, slots=True)
class PassDump:
    """A file, and the pass after which it was written."""

    file: str
    pipeline: str
    pass_: str

    @property
    def is_pass(self) -> bool:
        """False if XLA wrote it between two passes: what is new in it was not made by a pass."""
        return self.pass_ not in _BETWEEN


def in_order(files: Iterable[str]) -> list[PassDump]:
    """The dumps of the compiled module, in the order of the passes.

    The first is the module that XLA was given; the last, if it exists, is the one that it ended with. Empty
    if XLA wrote none. Of several modules the one with the lowest number is used: those that XLA makes itself,
    while it compiles that one, have higher numbers.
    """
    names = list(files)
    given = sorted((int(found[2] or found[3]), found) for found in map(_GIVEN.fullmatch, names) if found)
    if not given:
        return []
    start = given[0][1][0].removesuffix("before_optimizations.txt")
    rest = [name.removeprefix(start) for name in names if name.startswith(start)]
    after = sorted((found for found in map(_AFTER.fullmatch, rest) if found), key=lambda one: int(one[1]))
    end = [found for found in map(_END.fullmatch, rest) if found]
    return [
        PassDump(given[0][1][0], "", "before_optimizations"),
        *(PassDump(start + found[0], found[2], found[3]) for found in after),
        *(PassDump(start + found[0], found[1], found[2]) for found in end),
    ]


@dataclass(frozen=True, slots=True)
class Ran:
    """A pass that ran: `before` is `after` itself if it did not change the text."""

    index: int
    dumped: PassDump
    before: DumpedModule
    after: DumpedModule


@contextmanager
def passes_of(pipeline: Pipeline, target: Target, metadata: bool = False) -> Iterator[Iterator[Ran]]:
    """The passes of one compilation, to be read inside. Raises as `ran` does, `UnavailableError` for another
    backend than the CPU's, and `CompileError` if XLA fails.
    """
    if pipeline.has_lowered and not target.devices:
        _require_cpu(dumps.platforms(pipeline.lowered))
    with pipeline.passes_dumped(metadata) as files:
        yield ran(files)


def _require_cpu(platforms: tuple[str, ...]) -> None:
    if platforms != ("cpu",):
        raise UnavailableError(
            f"passes are read on the CPU backend only, but this is lowered for {', '.join(platforms)}",
            hint="JAX_PLATFORMS=cpu shows the passes for this machine's CPU",
        )


def ran(paths: Mapping[str, Path]) -> Iterator[Ran]:
    """All passes in their order, by their dumps, with only two modules in memory at a time.

    Raises `UnavailableError` if there are none, or if one is incomplete.
    """
    files = in_order(paths)
    if len(files) < 2:
        raise UnavailableError("XLA dumped none of its passes")
    reader, path = DumpReader(), paths[files[0].file]
    module = _complete(reader.read(path), path)
    index = 0
    for dumped in files[1:]:
        before, last, path = module, path, paths[dumped.file]
        if not _is_same(last, path):
            after = reader.read(path)
            module = before if after.has_text_of(before) else _complete(after, path)
        if module is not before or dumped.is_pass:
            yield Ran(index, dumped, before, module)
            index += 1


def _complete(module: DumpedModule, path: Path) -> DumpedModule:
    if not module.is_complete:
        raise UnavailableError(
            f"XLA's dump {path.name} is incomplete",
            hint="is the disk for temporary files full? Set TMPDIR to another folder",
        )
    return module


def _is_same(one: Path, other: Path) -> bool:
    """Whether two files have the same content, of which only a piece at a time is in memory."""
    if one.stat().st_size != other.stat().st_size:
        return False
    pieces = bytearray(_PIECE), bytearray(_PIECE)
    with one.open("rb", buffering=0) as first, other.open("rb", buffering=0) as second:
        while first.readinto(pieces[0]):
            second.readinto(pieces[1])
            if pieces[0] != pieces[1]:
                return False
    return True
