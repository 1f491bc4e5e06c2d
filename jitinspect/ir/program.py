"""One data structure for all three texts: blocks of operations, each with its lines of text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Frame(NamedTuple):
    """A line of Python that was on the stack when the operation was made."""

    file: str
    line: int
    function: str


@dataclass(slots=True)
class Operation:
    """An equation, an operation or an instruction.

    `names` is what it defines, `operands` what it uses, `type` that of its results as written in the text,
    `rest` its attributes, without inner blocks; `arguments` are its operands as written, in a jaxpr, where
    they may be literals, and in HLO where they may be elements of tuples (`%a#1`).
    `frames` are innermost first. `start` and `end` bound its lines in the text, including its `inner` blocks;
    `calls` are the names of blocks defined elsewhere. `made_by` is JAX's primitive, where StableHLO tells it.

    `path` is what JAX calls it: transformations, scopes and primitive, as in `while/body/jit(f)/tanh`; ""
    where the text does not say. In a jaxpr it begins at the innermost jaxpr, in StableHLO at the function, in
    HLO at the program. `around` is what JAX puts in front of the paths in each block that an equation of a
    jaxpr has or calls, `inner` first; None where that is not known.
    """

    names: tuple[str, ...]
    opcode: str
    operands: tuple[str, ...]
    type: str
    rest: str
    start: int
    end: int
    arguments: str = ""
    frames: tuple[Frame, ...] = ()
    inner: list[Block] = field(default_factory=list)
    calls: tuple[str, ...] = ()
    made_by: str = ""
    path: str = ""
    around: tuple[str | None, ...] = ()


@dataclass(slots=True)
class Block:
    """A jaxpr, a function or region, or a computation; `start` and `end` bound its lines, head and foot too.

    `head` describes its parameters, and `foot` its results, if no operations do. `root` is
    the line of the instruction that an HLO computation marks as the one whose value it returns.
    """

    name: str
    parameters: tuple[str, ...]
    operations: list[Operation]
    start: int
    end: int
    is_entry: bool = False
    head: str = ""
    foot: str = ""
    root: int | None = None

    @property
    def model(self) -> Block:
        """The first block of its program that is the same but for names, as far as that is known: what holds
        for one, whatever its instructions are called, is worked out once for all.
        """
        return self

    def words(self) -> set[str]:
        """At least the opcodes, and the names of what its operations define and call."""
        return {word for one in self.operations for word in (one.opcode, *one.names, *one.calls)}

    def nested(self) -> Iterator[Block]:
        """The blocks that its operations contain, without those in these."""
        return (inner for one in self.operations for inner in one.inner)

    def reached(self, blocks: Mapping[str, Block]) -> Iterator[tuple[int, Block]]:
        """The blocks that its operations contain or call by name, each with the operation's index."""
        for at, one in enumerate(self.operations):
            for inner in one.inner:
                yield at, inner
            for name in one.calls:
                if name in blocks:
                    yield at, blocks[name]


@dataclass(slots=True)
class Program:
    """The text of a stage, in lines, and what it contains. Each of `blocks` is reached from the entry.

    `head` is the line that describes the whole module, if there is one.
    """

    stage: str
    lines: Sequence[str]
    blocks: list[Block]
    head: str = ""

    def named(self) -> dict[str, Block]:
        """The blocks that an operation may call by name."""
        return {block.name: block for block in self.blocks}

    def all_blocks(self) -> Iterator[Block]:
        """Every block, each before those inside it."""
        for block in self.blocks:
            yield from within(block)

    def operations(self) -> Iterator[Operation]:
        """Every operation, block by block."""
        for block in self.all_blocks():
            yield from block.operations

    def alike(self) -> list[list[Block]]:
        """Every block, together with those that are the same but for names, in the order of the first."""
        found: dict[int, list[Block]] = {}
        for block in self.all_blocks():
            found.setdefault(id(block.model), []).append(block)
        return list(found.values())

    def places(self, is_meant: Callable[[Operation], bool]) -> Iterator[tuple[Block, int]]:
        """Every operation that is meant, by its block and its index there. Names must not matter: of blocks
        that are alike, only the first is looked at.
        """
        meant: dict[int, list[int]] = {}
        for block in self.all_blocks():
            model = block.model
            if id(model) not in meant:
                meant[id(model)] = [at for at, one in enumerate(model.operations) if is_meant(one)]
            for at in meant[id(model)]:
                yield block, at

    def root(self, block: Block) -> Operation:
        """The instruction whose value an HLO computation returns."""
        return block_root(block)

    @property
    def entry(self) -> Block:
        return next((block for block in self.blocks if block.is_entry), self.blocks[-1])


def within(block: Block) -> Iterator[Block]:
    """A block, and all blocks inside it."""
    yield block
    for inner in block.nested():
        yield from within(inner)


def block_root(block: Block) -> Operation:
    """The instruction whose value an HLO computation returns: the marked one, or the last."""
    marked = (one for one in reversed(block.operations) if one.start == block.root)
    return next(marked, block.operations[-1])
