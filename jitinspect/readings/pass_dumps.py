"""XLA's dumps of a module after each pass: which they are, what is in one, how two differ.

The file names and texts are those that `jaxapi.executables.dumps.passes_dumped` asks for,
as jaxlib 0.10.2 and 0.12.0 write them on the CPU.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import unified_diff
from functools import cached_property
from pathlib import Path
from typing import Literal

from jitinspect.errors import UnavailableError
from jitinspect.ir.readable_hlo import readable, without_metadata
from jitinspect.jaxapi.executables import dumps
from jitinspect.model import Target
from jitinspect.stages.pipeline import Pipeline

_BETWEEN = ("pipeline-start", "after_optimizations")
"""What takes the place of a pass in the name of a dump before a pipeline's first pass, or at the end."""
_GIVEN = re.compile(r"(module_(\d+)\..*\.|module_(\d+)\.)before_optimizations\.txt")
_AFTER = re.compile(r"(\d+)\.(.+?)\.after_(.+?)(?:\.before_.+)?\.txt")
_END = re.compile(r"([a-z]+)_(after_optimizations)\.txt")
_INSTRUCTION = re.compile(r"^  (?:ROOT )?%?([\w.\-]+) = (?:\(.*?\)|[^( ]\S*) ([a-z][\w\-]*)\(", re.M)
_NAME = re.compile(r"%[\w.\-]+|(?<=[(, ])[\w.\-]+(?=: )")
_CONTEXT = 3
"""How many lines are shown around a difference."""
_HUNK = re.compile(r"@@ -(\d+)")

Instruction = tuple[str, str]
"""Name, without its `%`, and opcode."""


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


class DumpedModule:
    """A module's text without metadata, and the instructions in it; `dump` is all that XLA wrote."""

    def __init__(self, text: str, dump: str = "") -> None:
        self.text = text
        self.dump = dump

    @property
    def is_complete(self) -> bool:
        """Whether its end is there: if the disk is full, XLA writes less and carries on."""
        return self.text.rstrip().endswith("}")

    @cached_property
    def instructions(self) -> tuple[Instruction, ...]:
        """Those of all computations, in the order of the text."""
        return tuple(_INSTRUCTION.findall(self.text))

    @cached_property
    def ops(self) -> Counter[str]:
        """How many instructions there are of each opcode."""
        return Counter(opcode for _, opcode in self.instructions)


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
    module = _module(paths[files[0].file])
    index = 0
    for dumped in files[1:]:
        before, module = module, _module(paths[dumped.file], module)
        if module is not before or dumped.is_pass:
            yield Ran(index, dumped, before, module)
            index += 1


def _module(path: Path, before: DumpedModule | None = None) -> DumpedModule:
    """The module of a dump; `before` itself if the text is the same."""
    dump = path.read_bytes().decode(errors="replace")
    if before is not None and dump == before.dump:
        return before
    text = without_metadata(dump)
    if before is not None and text == before.text:
        return before
    module = DumpedModule(text, dump)
    if not module.is_complete:
        raise UnavailableError(
            f"XLA's dump {path.name} is incomplete",
            hint="is the disk for temporary files full? Set TMPDIR to another folder",
        )
    return module


def ops_changed(before: DumpedModule, after: DumpedModule) -> dict[str, int]:
    """How many more, or fewer, instructions of each opcode there are; the largest difference first."""
    difference = after.ops.copy()
    difference.subtract(before.ops)
    changed = [(opcode, count) for opcode, count in difference.items() if count]
    return dict(sorted(changed, key=lambda item: (-abs(item[1]), item[0])))


def trivial_change(before: DumpedModule, after: DumpedModule) -> Literal["", "names", "order"]:
    """Whether two different texts differ only in names, or only in the order of lines; "" if in more."""
    if before.ops != after.ops:
        return ""
    if sorted(before.text.splitlines()) == sorted(after.text.splitlines()):
        return "order"
    return "names" if _numbered(before.text) == _numbered(after.text) else ""


def _numbered(text: str) -> str:
    """The text with names replaced by numbers, in the order of their first appearance."""
    numbers: dict[str, str] = {}
    return _NAME.sub(lambda found: numbers.setdefault(found[0].removeprefix("%"), f"%{len(numbers)}"), text)


def difference(before: DumpedModule, after: DumpedModule, title: str) -> str:
    """A unified diff of the readable texts, or of the full ones if only default layouts differ.

    Each line is an instruction; each hunk names the computation of the first one that differs.
    """
    texts = readable(before.text), readable(after.text)
    old, new = (text.splitlines() for text in (texts if texts[0] != texts[1] else (before.text, after.text)))
    lines = unified_diff(old, new, f"before {title}", f"after {title}", lineterm="", n=_CONTEXT)
    return "".join(f"{line}\n" for line in _placed(lines, old))


def _placed(lines: Iterable[str], old: list[str]) -> Iterator[str]:
    """The lines of a diff, with the name of the computation after each hunk's line numbers."""
    starts = [at for at, line in enumerate(old) if line.endswith("{")]
    for line in lines:
        if (hunk := _HUNK.match(line)) and (at := bisect_right(starts, int(hunk[1]) + _CONTEXT - 1)):
            yield f"{line} {old[starts[at - 1]].split(' (')[0]}"
        else:
            yield line
