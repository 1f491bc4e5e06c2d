"""One data structure for all three texts: blocks of operations, each with its lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
            yield from _within(block)

    def operations(self) -> Iterator[Operation]:
        """Every operation, block by block."""
        for block in self.all_blocks():
            yield from block.operations

    def root(self, block: Block) -> Operation:
        """The instruction whose value an HLO computation returns."""
        return block_root(block)

    @property
    def entry(self) -> Block:
        return next((block for block in self.blocks if block.is_entry), self.blocks[-1])


def _within(block: Block) -> Iterator[Block]:
    yield block
    for operation in block.operations:
        for inner in operation.inner:
            yield from _within(inner)


def block_root(block: Block) -> Operation:
    """The instruction whose value an HLO computation returns: the marked one, or the last."""
    marked = (one for one in reversed(block.operations) if one.start == block.root)
    return next(marked, block.operations[-1])
