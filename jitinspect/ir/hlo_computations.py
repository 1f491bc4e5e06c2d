"""The computations of an HLO text, each of which is read where it is asked for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property
from itertools import accumulate, repeat
from operator import add
from typing import Any

from jitinspect.ir.hlo_instructions import Reader
from jitinspect.ir.hlo_spans import HEAD, Span, span, spans
from jitinspect.ir.hlo_stack_frames import StackFrames
from jitinspect.ir.program import Block, Operation
from jitinspect.ir.structures import renamed, structures


def read(text: str, stacks: StackFrames | None, readable: Callable[[str], str] | None = None) -> list[Block]:
    """All of the text, in its order. See `Reader`."""
    found = _Alike(text)
    reader = Reader(text, stacks, readable)
    found.blocks += (_Computation(one, reader, found) for one in spans(text))
    return list(found.blocks)


class _Alike:
    """Which computations of a text are alike."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.blocks: list[_Computation] = []

    @cached_property
    def _models(self) -> dict[int, _Computation]:
        """By where they begin. Nothing is like the entry, which is long."""
        others = [one for one in self.blocks if not one.is_entry]
        numbers = structures((one.name, self._instructions(one)) for one in others)
        first: dict[int, _Computation] = {}
        return {
            one.span.begin: first.setdefault(number, one) for one, number in zip(others, numbers, strict=True)
        }

    def model(self, block: _Computation) -> _Computation:
        """The first that is alike."""
        return self._models.get(block.span.begin, block)

    def names(self, block: _Computation) -> dict[str, str]:
        """What the names in its model are in the block."""
        return renamed(*map(self._instructions, (block, self.model(block))))

    def _instructions(self, block: _Computation) -> str:
        return self._text[block.span.first : block.span.end]


_Calls = list[tuple[int, tuple[str, ...]]]
"""For each instruction that calls other computations, its index, and their names."""


class _Computation(Block):
    """A block whose parameters and instructions are read when they are first asked for; what it calls is read
    from the one that it is like.
    """

    __slots__ = ("_alike", "_read", "calling", "model", "span")
    model: _Computation

    def __init__(self, span: Span, read: Reader, alike: _Alike) -> None:
        for name, value in span.places.items():
            setattr(self, name, value)
        self.head = self.foot = ""
        self.span, self._read, self._alike = span, read, alike

    def __getattr__(self, name: str) -> Any:
        """Called for what has no value yet."""
        if name == "parameters":
            self.parameters = self._read.parameters(self.span)
            return self.parameters
        if name == "operations":
            self.operations = self._read.operations(self.span)
            return self.operations
        if name == "calling":
            self.calling = self._called()
            return self.calling
        if name == "model":
            self.model = self._alike.model(self)
            return self.model
        raise AttributeError(name)

    def words(self) -> set[str]:
        return self._read.words(self.span)

    def nested(self) -> Iterator[Block]:
        return iter(())

    def reached(self, blocks: Mapping[str, Block]) -> Iterator[tuple[int, Block]]:
        return ((at, blocks[name]) for at, names in self.calling for name in names if name in blocks)

    def _called(self) -> _Calls:
        model = self.model
        if model is self:
            return [(at, one.calls) for at, one in enumerate(self.operations) if one.calls]
        if not model.calling:
            return []
        names = self._alike.names(self)
        return [(at, tuple(names.get(one, one) for one in called)) for at, called in model.calling]


class Computations(Mapping[str, Block]):
    """Those of a module, from JAX's own text, by name: each is found, and read, where it is asked for."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._reader = Reader(text, StackFrames(text) if "stack_frame_id=" in text else None)
        self._alike = _Alike(text)
        self._heads = {head[2]: head for head in HEAD.finditer(text)}
        self._begins = [head.start() for head in self._heads.values()]
        self._names = list(self._heads)
        self._block = cache(self._found)
        self.lines = text.split("\n")
        self._starts = list(accumulate(map(add, map(len, self.lines), repeat(1)), initial=0))

    def __getitem__(self, name: str) -> Block:
        return self._block(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._heads

    def _found(self, name: str) -> Block:
        head = self._heads[name]
        end = self._text.find("\n}", head.end())
        line = self.line(head.start() + 1)
        found = span(self._text, head, end if end >= 0 else len(self._text), line)
        return _Computation(found, self._reader, self._alike)

    @property
    def entry(self) -> Block:
        marked = (name for name in reversed(self._names) if self._heads[name][1])
        return self[next(marked, self._names[-1])]

    def places(self, words: str, but: Block | None = None) -> Iterator[int]:
        """Where the words are in computations, and not in the tables, which name the user's files; nor in the
        one that is left out.
        """
        at = self._text.find(words, self._begins[0])
        begin, end = self._bounds(but) if but else (-1, -1)
        while at >= 0:
            if begin <= at < end:
                at = self._text.find(words, end)
                continue
            yield at
            at = self._text.find(words, at + 1)

    def _bounds(self, block: Block) -> tuple[int, int]:
        """Where the text of a computation begins, and where it ends."""
        return self._starts[block.start], self._starts[block.end - 1]

    def line(self, at: int) -> int:
        """The number of the line at a place."""
        return bisect_right(self._starts, at) - 1

    def at(self, place: int) -> Block:
        """The computation there."""
        return self[self._names[bisect_right(self._begins, place) - 1]]

    def callers(self, name: str) -> Iterator[tuple[Block, Operation]]:
        """The instructions that call a computation."""
        lines = {self.line(at): at for at in self.places(f"%{name}")}
        for number, at in lines.items():
            block = self.at(at)
            if block.name != name:
                yield from ((block, one) for one in block.operations if calling(one, number, name))


def calling(one: Operation, line: int, name: str) -> bool:
    return one.start == line and name in one.calls
