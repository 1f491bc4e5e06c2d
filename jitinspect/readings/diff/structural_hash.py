"""A hash of an operation and all that it is computed from, up to the parameters.

Two operations have the same hash if they and all that they are computed from are the same; names do not
count. Equal operations in one block get different hashes, in their order.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

from jitinspect.ir.program import Block, Program
from jitinspect.readings.diff.block_statements import Skeleton, StatementReader, Statements
from jitinspect.readings.diff.statements import CALLS, USES

_Hash = tuple[int, int]
"""With all words, and with opcodes alone."""


class Interner:
    """Equal things → equal numbers; both programs share one."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}

    def __call__(self, thing: Hashable) -> int:
        return self._numbers.setdefault(thing, len(self._numbers))


@dataclass(eq=False, slots=True)
class Shape:
    """The hashes of a block's statements, and one of the whole block, its `digest`. `exact` includes all
    words, `opcodes` only the opcodes. `is_closed` if it uses no name from outside: other blocks of this shape
    differ from it in names alone.
    """

    skeleton: Skeleton
    exact: list[int]
    opcodes: list[int]
    digest: int
    is_closed: bool


@dataclass(slots=True)
class Shared:
    """What is known of both programs."""

    intern: Interner = field(default_factory=Interner)
    read: StatementReader = field(default_factory=StatementReader)
    shapes: dict[Hashable, Shape] = field(default_factory=dict)


class Structure:
    """The statements of each block of a program, and its shape."""

    def __init__(self, program: Program, shared: Shared) -> None:
        self.program = program
        self._shared = shared
        self._intern = shared.intern
        self._blocks = program.named()
        self.statements: dict[int, Statements] = {}
        self.shapes: dict[int, Shape] = {}
        self._open: set[int] = set()

    def block_of(self, name: str) -> Block | None:
        """The block that a statement calls."""
        return self._blocks.get(name.lstrip("%@"))

    def read(self, block: Block) -> Statements:
        """The statements of one of the program's blocks."""
        self.digest(block)
        return self.statements[id(block)]

    def digest(self, block: Block, around: Mapping[str, _Hash] | None = None) -> int:
        """The hash of a whole block; `around` are the hashes of the values from outside that it can use."""
        if id(block) not in self.shapes:
            if id(block) in self._open:
                return -1  # a block that calls itself
            self._open.add(id(block))
            self.shapes[id(block)] = self._shape(block, around or {})
        return self.shapes[id(block)].digest

    def _shape(self, block: Block, around: Mapping[str, _Hash]) -> Shape:
        made = self.statements[id(block)] = self._shared.read(self.program, block)
        called = {made.names[at]: self._called(made.names[at]) for at in made.skeleton.called}
        hashes = tuple([called[made.names[at]] for at in made.skeleton.called])
        key = made.skeleton, hashes, len(block.parameters)
        shape = self._shared.shapes.get(key)
        if shape is None:
            shape = self._hashed(block, made, {**around}, called)
            if shape.is_closed:
                self._shared.shapes[key] = shape
        return shape

    def _called(self, name: str) -> _Hash | None:
        block = self.block_of(name)
        if block is None:
            return None
        return self.digest(block), self._intern(("block", len(block.parameters)))

    def _hashed(
        self, block: Block, made: Statements, known: dict[str, _Hash], called: Mapping[str, _Hash | None]
    ) -> Shape:
        for index, parameter in enumerate(block.parameters):
            known[parameter] = (self._intern(("parameter", index)),) * 2
        exact: list[int] = []
        opcodes: list[int] = []
        alike: dict[int, int] = {}
        is_closed = True
        for at, form in enumerate(made.skeleton.forms):
            inner, names = [self.digest(one, known) for one in made.inner(at)], made.names_of(at)
            found = [known.get(names[place]) for place in form.used]
            if form.calls or None in found:
                found = [
                    (called[names[place]] if form.kinds[place] == CALLS else None)
                    or _value(names[place], known)
                    for place in form.used
                ]
            is_closed = is_closed and not inner and None not in found
            used = [one or self._free(names[place]) for place, one in zip(form.used, found, strict=True)]
            whole = self._intern((form.words, tuple([one[0] for one in used]), tuple(inner)))
            shape = self._intern((form.opcode, tuple([one[1] for one in used]), len(inner)))
            exact.append(self._numbered(whole, alike))
            opcodes.append(self._numbered(shape, alike))
            for index, name in enumerate(made.defined(at) if at >= made.first else ()):
                known[name] = self._result(exact[-1], index), self._result(opcodes[-1], index)
        digest = self._intern(("block", len(block.parameters), tuple(exact)))
        return Shape(made.skeleton, exact, opcodes, digest, is_closed)

    def _free(self, name: str) -> _Hash:
        """That of a name from outside."""
        number = self._intern(("free", name))
        return number, number

    def _result(self, operation: int, index: int) -> int:
        """The hash of a result; most operations have one, for which theirs stands."""
        return self._intern((operation, index)) if index else operation

    def _numbered(self, number: int, alike: dict[int, int]) -> int:
        """Of equal statements in a block, only the first keeps `number`."""
        alike[number] = alike.get(number, 0) + 1
        return number if alike[number] == 1 else self._intern(("occurrence", number, alike[number]))

    def users(self, block: Block) -> list[int]:
        """For each statement a hash of all that is computed from it, down to the results; only opcodes."""
        made = self.statements[id(block)]
        used: dict[str, list[tuple[int, int]]] = {}
        numbers = [0] * len(made)
        alike: dict[int, int] = {}
        for at in range(len(made) - 1, -1, -1):
            form = made.form(at)
            followers = sorted(use for name in made.defined(at) for use in used.get(name, ()))
            numbers[at] = self._numbered(self._intern((form.opcode, tuple(followers))), alike)
            for position, name in enumerate(made.names_of(at)):
                if form.kinds[position] == USES:
                    used.setdefault(name, []).append((numbers[at], position))
        return numbers


def _value(name: str, known: Mapping[str, _Hash]) -> _Hash | None:
    """None for a name from outside."""
    return known.get(name) or known.get(name.lstrip("%"))
