"""What an HLO module amounts to, from but one of each kind of its computations that are alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from jitinspect.ir.program import Block, Program
from jitinspect.readings.diff.structural_hash import Structure

_REPEATING = ("while", "conditional")
"""What they run is told apart by its name."""


@dataclass(slots=True)
class Merged(Program):
    """A module without computations that are the same as another one, which is called in their place."""

    blocks_by_name: dict[str, Block] = field(default_factory=dict)

    def named(self) -> dict[str, Block]:
        return self.blocks_by_name


def merged(side: Structure) -> Merged:
    """Computations are merged that are alike and that fusions call, or those that only others call."""
    program = side.program
    callers: dict[str, set[str]] = {}
    for name, opcode in _calls(side):
        callers.setdefault(name, set()).add(opcode)
    kept: dict[object, Block] = {}
    named = {}
    for block in program.blocks:
        by = callers.get(block.name, set())
        is_kept = not by.isdisjoint(_REPEATING)
        key = block.name if is_kept else (side.digest(block), "fusion" in by, block.is_entry)
        named[block.name] = kept.setdefault(key, block)
    return Merged(program.stage, program.lines, list(kept.values()), program.head, named)


def _calls(side: Structure) -> Iterator[tuple[str, str]]:
    """The name of each computation that is called, and the opcode that calls it."""
    for made in map(side.read, side.program.blocks):
        for at in made.skeleton.calling:
            opcode = made.form(at).opcode.removesuffix("-start")
            yield from ((name.lstrip("%"), opcode) for name in made.called(at))


def opcodes(side: Structure) -> Counter[str]:
    """How often each occurs."""
    if side.program.stage != "hlo":
        return Counter(one.opcode for one in side.program.operations())
    found: Counter[str] = Counter()
    for skeleton, times in Counter(made.skeleton for made in map(side.read, side.program.blocks)).items():
        for opcode, count in skeleton.opcodes.items():
            found[opcode] += count * times
    return found
