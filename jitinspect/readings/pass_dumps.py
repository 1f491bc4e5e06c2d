"""XLA's dumps of one module after each of its passes: which they are, what stands in one, how two differ.

Pure text → data. The names and the texts are those that `jaxapi.dumps.passes_dumped` asks for, as jaxlib
0.10.2 and 0.12.0 write them on the CPU.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import unified_diff
from functools import cached_property
from typing import Literal

from jitinspect.ir.readable_hlo import readable

_BETWEEN = ("pipeline-start", "after_optimizations")
"""What stands for a pass in the name of a dump that is made before a pipeline's first, or at the end."""
_GIVEN = re.compile(r"(module_(\d+)\..*\.|module_(\d+)\.)before_optimizations\.txt")
_AFTER = re.compile(r"(\d+)\.(.+?)\.after_(.+?)(?:\.before_.+)?\.txt")
_END = re.compile(r"([a-z]+)_(after_optimizations)\.txt")
_INSTRUCTION = re.compile(r"^  (?:ROOT )?%?([\w.\-]+) = (?:\(.*?\)|[^( ]\S*) ([a-z][\w\-]*)\(", re.M)
_NAME = re.compile(r"%[\w.\-]+|(?<=[(, ])[\w.\-]+(?=: )")
_CONTEXT = 3
"""Lines around a difference."""
_HUNK = re.compile(r"@@ -(\d+)")

Instruction = tuple[str, str]
"""Name, without its `%`, and opcode."""


@dataclass(frozen=True, slots=True)
class Dumped:
    """A file, and the pass after which it was written."""

    file: str
    pipeline: str
    pass_: str

    @property
    def is_pass(self) -> bool:
        """Not so where XLA wrote it between two passes: what then is new in it was made by no pass."""
        return self.pass_ not in _BETWEEN


def in_order(files: Iterable[str]) -> list[Dumped]:
    """The dumps of the module that was compiled, in the order of the passes.

    The first is the module that XLA was given, the last, where there is one, the module that it ended with.
    Nothing where XLA has written none. Of several modules the oldest is meant: one that XLA makes itself,
    while it compiles that, has a later number.
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
        Dumped(given[0][1][0], "", "before_optimizations"),
        *(Dumped(start + found[0], found[2], found[3]) for found in after),
        *(Dumped(start + found[0], found[1], found[2]) for found in end),
    ]


class Module:
    """A module's text, and what stands in it."""

    def __init__(self, text: str) -> None:
        self.text = text

    @property
    def whole(self) -> bool:
        """Whether its end is there: a full disk makes XLA write less, and go on."""
        return self.text.rstrip().endswith("}")

    @cached_property
    def instructions(self) -> tuple[Instruction, ...]:
        """Those of all computations, in the order of the text."""
        return tuple(_INSTRUCTION.findall(self.text))

    @cached_property
    def ops(self) -> Counter[str]:
        """How many instructions there are of each opcode."""
        return Counter(opcode for _, opcode in self.instructions)


def ops_changed(before: Module, after: Module) -> dict[str, int]:
    """How many more, or fewer, instructions of each opcode; what differs most comes first."""
    difference = after.ops.copy()
    difference.subtract(before.ops)
    changed = [(opcode, count) for opcode, count in difference.items() if count]
    return dict(sorted(changed, key=lambda item: (-abs(item[1]), item[0])))


def only(before: Module, after: Module) -> Literal["", "names", "order"]:
    """Whether two texts that differ do so in names alone, or in the order of the lines alone."""
    if before.ops != after.ops:
        return ""
    if sorted(before.text.splitlines()) == sorted(after.text.splitlines()):
        return "order"
    return "names" if _numbered(before.text) == _numbered(after.text) else ""


def _numbered(text: str) -> str:
    """The text with a number for each name, in the order of their first mention."""
    numbers: dict[str, str] = {}
    return _NAME.sub(lambda found: numbers.setdefault(found[0].removeprefix("%"), f"%{len(numbers)}"), text)


def difference(before: Module, after: Module, title: str) -> str:
    """A unified diff of the readable texts, or of the whole ones where only default layouts differ.

    A line is an instruction; each hunk names the computation of the first that differs.
    """
    texts = readable(before.text), readable(after.text)
    old, new = (text.splitlines() for text in (texts if texts[0] != texts[1] else (before.text, after.text)))
    lines = unified_diff(old, new, f"before {title}", f"after {title}", lineterm="", n=_CONTEXT)
    return "".join(f"{line}\n" for line in _placed(lines, old))


def _placed(lines: Iterable[str], old: list[str]) -> Iterator[str]:
    """The lines of a diff, with a computation's name behind the place of each hunk."""
    starts = [at for at, line in enumerate(old) if line.endswith("{")]
    for line in lines:
        if (hunk := _HUNK.match(line)) and (at := bisect_right(starts, int(hunk[1]) + _CONTEXT - 1)):
            yield f"{line} {old[starts[at - 1]].split(' (')[0]}"
        else:
            yield line
