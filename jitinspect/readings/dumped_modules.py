"""The modules in XLA's dumps, one after the other: what their lines say, and how two modules differ.

Most lines of a module are in the next one as well: each is read once, and a module is a row of such lines.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from difflib import unified_diff
from functools import cached_property, lru_cache
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Literal

from jitinspect.ir.readable_hlo import readable, without_metadata, without_tables

_INSTRUCTION = re.compile(r"  (?:ROOT )?%?([\w.\-]+) = (?:\(.*?\)|[^( ]\S*) ([a-z][\w\-]*)\(")
_METADATA = ", metadata={"
_NAME = re.compile(r"%[\w.\-]+|(?<=[(, ])[\w.\-]+(?=: )")
_CONTEXT = 3
"""How many lines are shown around a difference."""
_HUNK = re.compile(r"@@ -(\d+)")

Instruction = tuple[str, str]
"""Name, without its `%`, and opcode."""


class Line:
    """Its `text` is without metadata; `name` and `opcode` are those of an instruction, "" in other lines.
    `is_code` is whether it is in a computation, or the head of one.
    """

    __slots__ = ("is_code", "metadata", "name", "opcode", "text")

    def __init__(self, line: str) -> None:
        self.text, self.metadata = line, ""
        if _METADATA in line:
            before, _, after = line.partition(_METADATA)
            self.metadata, rest = _divided(after)
            self.text = before + rest
        found = _INSTRUCTION.match(self.text)
        self.name, self.opcode = found.groups() if found else ("", "")
        self.is_code = self.text.startswith("  ") or self.text.endswith("{")


@lru_cache(maxsize=4096)
def _divided(text: str) -> tuple[str, str]:
    """The metadata at the start of `text`, and what follows: the same few recur in many lines."""
    rest = without_metadata(_METADATA + text)
    return text.removesuffix(rest), rest


class DumpedModule:
    """A module's lines, without the tables of stack frames, which are below the first line of its `head`."""

    def __init__(self, lines: Sequence[Line], head: str = "") -> None:
        self.lines = lines
        self.head = head

    @property
    def text(self) -> str:
        return "".join(f"{line.text}\n" for line in self.lines)

    @property
    def is_complete(self) -> bool:
        """Whether its end is there: if the disk is full, XLA writes less and carries on."""
        last = next((line.text for line in reversed(self.lines) if line.text.strip()), "")
        return last.rstrip().endswith("}")

    @property
    def instructions(self) -> tuple[Instruction, ...]:
        """Those of all computations, in the order of the text."""
        return tuple([(line.name, line.opcode) for line in self.lines if line.opcode])

    @property
    def code(self) -> list[Line]:
        """Without what is above the first computation, and between them."""
        return list(filter(attrgetter("is_code"), self.lines))

    @cached_property
    def ops(self) -> Counter[str]:
        """How many instructions there are of each opcode."""
        found = Counter(map(attrgetter("opcode"), self.lines))
        del found[""]
        return found

    def has_text_of(self, other: DumpedModule) -> bool:
        """Whether only metadata differs, if anything does."""
        return len(self.lines) == len(other.lines) and all(
            one.text == two.text for one, two in _changed(self, other)
        )


class DumpReader:
    """Reads modules one after the other. A line that is in the module before is not read again."""

    def __init__(self) -> None:
        self._known = _Lines()

    def read(self, path: Path) -> DumpedModule:
        with path.open("rb") as file:
            return self.module(file)

    def module(self, dump: Iterable[bytes]) -> DumpedModule:
        """That of the lines of a dump, each with its end."""
        rows = iter(dump)
        head, first = _head(rows)
        known = self._known
        lines = list(map(Line, without_tables(head).removesuffix("\n").split("\n")))
        lines += map(known.__getitem__, chain(first, rows))
        if len(known) > 2 * len(lines):
            there = set(lines)
            self._known = _Lines((row, line) for row, line in known.items() if line in there)
        return DumpedModule(lines, head)


class _Lines(dict[bytes, Line]):
    def __missing__(self, row: bytes) -> Line:
        line = self[row] = Line(row.decode(errors="replace").removesuffix("\n"))
        return line


def _head(rows: Iterator[bytes]) -> tuple[str, list[bytes]]:
    """The text above the first computation, and the first line of that."""
    above: list[bytes] = []
    for row in rows:
        if row.endswith(b"{\n"):
            return b"".join(above).decode(errors="replace"), [row]
        above.append(row)
    return b"".join(above).decode(errors="replace"), []


def ops_changed(before: DumpedModule, after: DumpedModule) -> dict[str, int]:
    """How many more, or fewer, instructions of each opcode there are; the largest difference first."""
    difference = after.ops.copy()
    difference.subtract(before.ops)
    changed = [(opcode, count) for opcode, count in difference.items() if count]
    return dict(sorted(changed, key=lambda item: (-abs(item[1]), item[0])))


def trivial_change(before: DumpedModule, after: DumpedModule) -> Literal["", "names", "order"]:
    """Whether two different texts differ only in names, or only in the order of lines; "" if in more."""
    if before.ops != after.ops or len(before.lines) != len(after.lines):
        return ""
    if Counter(_texts(before)) == Counter(_texts(after)):
        return "order"
    return "names" if _is_renamed(before, after) else ""


def _texts(module: DumpedModule) -> Iterator[str]:
    return map(attrgetter("text"), module.lines)


def _is_renamed(before: DumpedModule, after: DumpedModule) -> bool:
    """Whether each name stands for one of the other module's, and all else is the same."""
    if any(_NAME.sub("\0", one.text) != _NAME.sub("\0", two.text) for one, two in _changed(before, after)):
        return False
    names = [[found.removeprefix("%") for found in _NAME.findall(one.text)] for one in (before, after)]
    pairs = set(zip(*names, strict=True))
    return len(pairs) == len(set(names[0])) == len(set(names[1]))


def _changed(before: DumpedModule, after: DumpedModule) -> Iterator[tuple[Line, Line]]:
    """The pairs of lines, one above the other, that are not the same line."""
    pairs = zip(before.lines, after.lines, strict=True)
    return ((one, two) for one, two in pairs if one is not two)


def difference(before: DumpedModule, after: DumpedModule, title: str) -> str:
    """A unified diff of the readable texts, or of the full ones if only default layouts differ.

    Each line is an instruction; each hunk names the computation of the first one that differs.
    """
    full = before.text, after.text
    texts = readable(full[0]), readable(full[1])
    old, new = (text.splitlines() for text in (texts if texts[0] != texts[1] else full))
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
