"""The collectives of an HLO module: what a device gives and gets, and with which others.

An asynchronous collective is `all-gather-start` and `-done`, or an `async-start` that calls a computation
with the collective in it. XLA for TPUs puts one into fusions instead: where it starts, where it goes on
beside other work, and where it is done; all of them have the instruction, with one channel and one
`chain_id`. It also makes a reduce-scatter of an all-reduce and a slice, in a computation named
`all-reduce-scatter`. Seen on jaxlib 0.10.2 and 0.12.0.1, libtpu 0.0.42.1 and 0.0.50.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from jitinspect.ir import hlo, shapes
from jitinspect.ir.device_groups import Groups, groups, pairs
from jitinspect.ir.hlo_computations import Computations
from jitinspect.ir.program import Block, Operation, Program

KINDS = (
    "all-gather", "all-reduce", "all-to-all", "collective-broadcast", "collective-permute",
    "ragged-all-to-all", "recv", "reduce-scatter", "send",
)  # fmt: skip
_FIRST_WORDS = {kind.partition("-")[0] for kind in KINDS}
_PLAUSIBLE = re.compile(r" (?:" + "|".join(KINDS) + r")(?:-start)?\(")
_CHANNEL = re.compile(r"channel_id=(\d+)")
_CHAIN = re.compile(r'chain_id="(\d+)"')
_GROUPS = re.compile(r"replica_groups=.*?(?=, |$)")
_DIMENSION = re.compile(r"dimensions=\{(\d+)\}")
_SCATTERS = "all-reduce-scatter"
_HOST = "is_host_transfer=true"


@dataclass(frozen=True)
class CollectiveOperation:
    """A collective. `operation` names its kind, in `block`; `others` are instructions that carry on the
    same, in the order of the text.

    `received` are the arrays that a device gets. `groups` are of devices, by partition number; None if their
    form is not known, as for a permutation, which has `pairs` of a source and a target. `dimension` is the
    one along which arrays are joined, scattered or split.
    """

    kind: str
    operation: Operation
    block: Block
    received: tuple[shapes.Array, ...]
    groups: Groups | None
    pairs: Groups | None
    dimension: int | None
    others: tuple[tuple[Block, Operation], ...] = ()

    @property
    def last(self) -> tuple[Block, Operation]:
        """The instruction that has the result."""
        return self.others[-1] if self.others else (self.block, self.operation)

    @cached_property
    def group(self) -> int:
        """How many devices exchange data; for a permutation, how many there are."""
        if self.pairs is not None:
            return len({device for pair in self.pairs for device in pair})
        return max(map(len, self.groups), default=1) if self.groups is not None else 1

    @property
    def unread_groups(self) -> str:
        """`replica_groups=…` as it is written, if its form is not known; "" otherwise."""
        written = _GROUPS.search(self.operation.rest) if self.groups is None else None
        return written[0] if written else ""

    @property
    def bytes_out(self) -> int:
        return 0 if self.kind == "send" else self._bytes

    @property
    def bytes_in(self) -> int:
        if self.kind == "all-gather":
            return self._bytes // self.group
        if self.kind == "reduce-scatter":
            return self._bytes * self.group
        return 0 if self.kind == "recv" else self._bytes

    @cached_property
    def _bytes(self) -> int:
        return sum(array.bytes for array in self.received)

    @cached_property
    def wire_bytes(self) -> int:
        """What a device sends over links, if a ring of the group carries it, rounded up.

        The factors are those of "bus bandwidth" in NVIDIA's nccl-tests (`doc/PERFORMANCE.md`, seen in
        November 2026): 2(n-1)/n of an all-reduce, (n-1)/n of the whole array of an all-gather,
        reduce-scatter or all-to-all, all of a broadcast. A permutation sends what it is given, from any
        device with another target than itself; so does a `send`, also if its target is not said.
        """
        n = self.group
        if self.pairs is not None and all(source == target for source, target in self.pairs):
            return 0
        if self.pairs is not None or self.kind in ("send", "recv"):
            return self.bytes_in
        if n < 2:
            return 0
        if self.kind == "collective-broadcast":
            return self.bytes_in
        times = 2 if self.kind == "all-reduce" else 1
        return -(-times * max(self.bytes_in, self.bytes_out) * (n - 1) // n)


def collectives(program: Program) -> list[CollectiveOperation]:
    """In the order of the text. `program` may be but a part of a module that has them all, as from `part`."""
    found: dict[tuple[str, str, str], CollectiveOperation] = {}
    for one in _each(program):
        channel, chain = _CHANNEL.search(one.operation.rest), _CHAIN.search(one.operation.rest)
        name = chain[1] if chain and channel else one.operation.names[0]
        key = (one.kind, channel[1] if chain and channel else "", name)
        known = found.get(key)
        found[key] = replace(known, others=(*known.others, (one.block, one.operation))) if known else one
    return list(found.values())


@dataclass(slots=True)
class Part(Program):
    """`whole` are all computations of the module, each of which is read where it is asked for."""

    whole: Mapping[str, Block] = field(default_factory=dict)


def part(text: str) -> Part:
    """No more of a module, from JAX's own text, than its collectives and what calls the blocks they are in.

    This looks for words, and reads but few computations, which is much quicker than to parse all.
    """
    whole = Computations(text)
    entry = whole.entry
    wanted = {entry.name: {one.start for one in entry.operations if is_collective(one)}}
    for at in (at for word in _FIRST_WORDS for at in whole.places(f" {word}", but=entry)):
        if _PLAUSIBLE.match(text, at):
            wanted.setdefault(whole.at(at).name, set()).add(whole.line(at))
    waiting = list(wanted)
    for name in waiting:
        for block, calling in whole.callers(name) if not whole[name].is_entry else ():
            if block.name not in wanted:
                waiting.append(block.name)
            wanted.setdefault(block.name, set()).add(calling.start)
    blocks = [_with(whole[name], lines) for name, lines in wanted.items()]
    blocks.sort(key=lambda block: block.start)
    return Part("hlo", whole.lines, blocks, hlo.head(text), whole)


def _with(block: Block, lines: set[int]) -> Block:
    """A block with the instructions of these lines alone; all of what XLA names a reduce-scatter."""
    is_whole = block.name.startswith(_SCATTERS)
    operations = [one for one in block.operations if is_whole or one.start in lines]
    return Block(block.name, (), operations, block.start, block.end, is_entry=block.is_entry, root=block.root)


def is_collective(operation: Operation) -> bool:
    """Whether it is one, or begins one."""
    return operation.opcode.removesuffix("-start") in KINDS and _HOST not in operation.rest


def _each(program: Program) -> Iterator[CollectiveOperation]:
    devices = hlo.device_count(program)
    for block, at in program.places(is_collective):
        yield _collective(program, block, block.operations[at], devices)


def _collective(program: Program, block: Block, operation: Operation, devices: int) -> CollectiveOperation:
    kind, received = operation.opcode.removesuffix("-start"), _received(operation)
    if kind == "all-reduce" and block.name.startswith(_SCATTERS):
        kind, received = "reduce-scatter", shapes.arrays(program.root(block).type)
    rest = operation.rest
    dimension = _DIMENSION.search(rest)
    return CollectiveOperation(
        kind=kind,
        operation=operation,
        block=block,
        received=received,
        groups=groups(rest, devices) if "replica_groups=" in rest else None,
        pairs=pairs(rest),
        dimension=int(dimension[1]) if dimension else None,
    )


def _received(operation: Operation) -> tuple[shapes.Array, ...]:
    """A `-start` has what it was given before what it gets, but for that of an all-reduce on jaxlib 0.10.2; a
    `send` and a `recv` have tokens and the like after the data.
    """
    if operation.opcode in ("send", "recv"):
        return shapes.arrays(operation.type)[:1]
    is_result_alone = operation.opcode == "all-reduce-start" and not operation.type.startswith("((")
    if operation.opcode.endswith("-start") and not is_result_alone:
        return shapes.arrays(shapes.parts(operation.type)[1])
    return shapes.arrays(operation.type)
