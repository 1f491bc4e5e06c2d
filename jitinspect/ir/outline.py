"""A program as a tree of its blocks, with the operations in each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby

from jitinspect.ir.hlo import trip_count
from jitinspect.ir.program import Block, Operation, Program
from jitinspect.model.views import Branch

_LENGTH = re.compile(r"\blength=(\d+)")
_NAME = re.compile(r"\bname=(\w+)")
_LOOPS = ("while", "scan")
_OPAQUE = ("fusion", "reduce", "reduce-window", "scatter", "sort", "map", "all-reduce", "select-and-scatter")
"""Instructions whose computations are not shown: only the instructions are counted."""


def outline(program: Program) -> Branch:
    """The entry, with the blocks in it and those that it calls."""
    return _Outline(program).branch(program.entry, f"{program.entry.name}", 1)


class _Outline:
    def __init__(self, program: Program) -> None:
        self._blocks = program.named()

    def branch(self, block: Block, label: str, runs: int | None) -> Branch:
        ops = Counter(operation.opcode for operation in block.operations)
        branches = [one for operation in block.operations for one in self._below(operation)]
        return Branch(
            label, len(block.operations), dict(ops.most_common()), 1, runs, tuple(_grouped(branches))
        )

    def _below(self, operation: Operation) -> Iterable[Branch]:
        if operation.opcode in _OPAQUE:
            return
        called = [self._blocks[name] for name in operation.calls if name in self._blocks]
        for block in (*operation.inner, *called):
            yield self.branch(block, _label(operation, block), _runs(operation))


def _label(operation: Operation, block: Block) -> str:
    """`jit relu`, `while region_0`, `scan`."""
    named = _NAME.search(operation.rest)
    words = (operation.opcode, named[1] if named else "", block.name)
    return " ".join(dict.fromkeys(filter(None, words)))


def _runs(operation: Operation) -> int | None:
    """How often a loop runs its block; None if the text does not say."""
    if (trips := trip_count(operation)) is not None:
        return trips
    if found := _LENGTH.search(operation.rest):
        return int(found[1])
    return None if operation.opcode.rpartition(".")[2] in _LOOPS else 1


def _grouped(branches: list[Branch]) -> Iterable[Branch]:
    """Groups adjacent branches that are alike except for a number at the end of their names."""

    def unnumbered(branch: Branch) -> Branch:
        label = re.sub(r"[._]\d+$", "", branch.label)
        return replace(branch, label=label, branches=tuple(map(unnumbered, branch.branches)))

    for alike, group in groupby(branches, key=unnumbered):
        members = list(group)
        yield replace(alike, times=len(members)) if len(members) > 1 else members[0]
