"""Python loops that tracing unrolled: the same operations from the same lines, again and again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import eq

from jitinspect.ir.attribution import Attribution, Line
from jitinspect.ir.program import Block, Frame, Operation, Program

LoopOf = Callable[[Line], Line | None]
"""A line → that of the innermost `for`, `while` or comprehension around it."""

FEWEST = 4
"""Loops with fewer iterations are not reported."""
SHORTEST = 4
"""A body of fewer operations is not worth a `lax.scan`, unless all iterations together have `MANY`."""
MANY = 100
_ONES = re.compile(rb"\x01+")
_PERIODS = 16
"""How many distances between equal operations are tried in each block."""


@dataclass(frozen=True, slots=True)
class UnrolledLoop:
    """The same `period` operations, `times` times; `line` is that of the loop."""

    line: Line
    times: int
    period: int

    @property
    def matters(self) -> bool:
        return self.period >= SHORTEST or self.times * self.period >= MANY


def unrolled_loops(program: Program, attribution: Attribution, loop_of: LoopOf) -> list[UnrolledLoop]:
    """One for each of the user's Python loops whose body is long enough to matter, the longest first. Each
    block, including inner ones, is searched separately.

    What is repeated outside of such a loop, as in `jax.tree.map`, is not for `lax.scan`.
    """
    runs: dict[Line, list[UnrolledLoop]] = {}
    for blocks in program.alike():
        for one in _in_block(blocks[0], attribution, loop_of):
            runs.setdefault(one.line, []).extend([one] * len(blocks))
    found = [one for one in map(_together, runs.values()) if one.matters]
    return sorted(found, key=lambda one: -one.times * one.period)


def _together(runs: Sequence[UnrolledLoop]) -> UnrolledLoop:
    """The runs of one loop as one: a gradient runs it again, often with one iteration that differs."""
    times = max(one.times for one in runs)
    period = sum(one.period for one in runs if one.times >= times - 1)
    return UnrolledLoop(runs[0].line, times, period)


def _in_block(block: Block, attribution: Attribution, loop_of: LoopOf) -> Iterator[UnrolledLoop]:
    operations = block.operations
    for start, times, period in _tandem_repeats(_tokens(operations)):
        body = operations[start : start + period]
        if not _is_several(body) and (line := _loop_line(body, attribution, loop_of)) is not None:
            yield UnrolledLoop(line, times, period)


def _is_several(body: Sequence[Operation]) -> bool:
    """Whether it is several iterations, which differ in shapes: those cannot be scanned."""
    tokens = [(operation.opcode, operation.frames) for operation in body]
    steps = (step for step in range(1, len(tokens) // 2 + 1) if len(tokens) % step == 0)
    return any(tokens[step:] == tokens[:-step] for step in steps)


def _tokens(operations: Sequence[Operation]) -> list[int]:
    """What is the same in each iteration: the operation, its type, and its whole stack. Equal ones have equal
    numbers; stacks, which are long and shared, are compared once.
    """
    stacks: dict[tuple[Frame, ...], int] = {}
    shared = {id(one.frames): one.frames for one in operations}
    stack = {key: stacks.setdefault(frames, len(stacks)) for key, frames in shared.items()}
    numbers: dict[Hashable, int] = {}
    tokens = ((one.opcode, one.type, stack[id(one.frames)]) for one in operations)
    return [numbers.setdefault(token, len(numbers)) for token in tokens]


def _tandem_repeats(tokens: Sequence[int]) -> list[tuple[int, int, int]]:
    """(start, times, period) of what is repeated at least `FEWEST` times in a row, without overlaps."""
    runs = [run for period in _periods(tokens) for run in _runs(tokens, period)]
    runs.sort(key=lambda run: (-run[1] * run[2], run[2]))
    taken = bytearray(len(tokens))
    kept = []
    for start, times, period in runs:
        end = start + times * period
        if not any(taken[start:end]):
            taken[start:end] = b"\1" * (end - start)
            kept.append((start, times, period))
    return sorted(kept)


def _periods(tokens: Sequence[int]) -> list[int]:
    """Distances between equal neighbours, the most common first."""
    last: dict[int, int] = {}
    distances: Counter[int] = Counter()
    for index, token in enumerate(tokens):
        if token in last:
            distances[index - last[token]] += 1
        last[token] = index
    return [period for period, _ in distances.most_common(_PERIODS)]


def _runs(tokens: Sequence[int], period: int) -> Iterator[tuple[int, int, int]]:
    """Where the tokens equal themselves shifted by the period."""
    same = bytes(map(eq, tokens, islice(tokens, period, None)))
    for run in _ONES.finditer(same):
        times = (run.end() - run.start()) // period + 1
        if times >= FEWEST:
            yield run.start(), times, period


def _loop_line(operations: Sequence[Operation], attribution: Attribution, loop_of: LoopOf) -> Line | None:
    """The innermost loop in which all were made."""
    distinct = {id(operation.frames): operation for operation in operations}.values()
    stacks = [stack for operation in distinct if (stack := attribution.stack(operation))]
    return _in_common([[loop for line in stack if (loop := loop_of(line))] for stack in stacks])


def _in_common(stacks: Sequence[Sequence[Line]]) -> Line | None:
    if not stacks:
        return None
    return next((line for line in stacks[0] if all(line in stack for stack in stacks[1:])), None)
