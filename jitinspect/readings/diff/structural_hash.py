"""A hash of an operation and all that it is computed from, up to the parameters.

Two operations have the same hash if they and all that they are computed from are the same; names do not
count. Equal operations in one block get different hashes, in their order.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from jitinspect.ir.program import Block, Program
from jitinspect.readings.diff.statements import Name, Statement, statements


class Interner:
    """Equal things → equal numbers; both programs share one."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}

    def __call__(self, thing: Hashable) -> int:
        return self._numbers.setdefault(thing, len(self._numbers))


class Structure:
    """The statements of each block of a program, and their hashes.

    `exact` includes all words; `opcodes` only the opcodes; `users` the opcodes of what is computed from them.
    """

    def __init__(self, program: Program, interner: Interner) -> None:
        self.program = program
        self._intern = interner
        self._blocks = program.named()
        self._digests: dict[int, int] = {}
        self.statements: dict[int, list[Statement]] = {}
        self.exact: dict[int, list[int]] = {}
        self.opcodes: dict[int, list[int]] = {}
        self._open: set[int] = set()

    def block_of(self, name: Name) -> Block | None:
        """The block that a `call` refers to."""
        return self._blocks.get(name.text.lstrip("%@")) if name.kind == "call" else None

    def digest(self, block: Block, around: Mapping[str, tuple[int, int]] | None = None) -> int:
        """The hash of a whole block; `around` are the hashes of the values from outside that it can use."""
        if id(block) not in self._digests:
            if id(block) in self._open:
                return -1  # a block that calls itself
            self._open.add(id(block))
            self._digests[id(block)] = self._read(block, dict(around or {}))
        return self._digests[id(block)]

    def _read(self, block: Block, known: dict[str, tuple[int, int]]) -> int:
        for index, parameter in enumerate(block.parameters):
            known[parameter] = (self._intern(("parameter", index)),) * 2
        made = statements(self.program, block)
        exact: list[int] = []
        opcodes: list[int] = []
        alike: dict[int, int] = {}
        for statement in made:
            inner = (
                [self.digest(one, known) for one in statement.operation.inner] if statement.operation else []
            )
            used = [self._used(name, known) for name in statement.names if name.kind != "def"]
            whole = self._intern((statement.words, tuple(one[0] for one in used), tuple(inner)))
            shape = self._intern((statement.opcode, tuple(one[1] for one in used), len(inner)))
            exact.append(self._numbered(whole, alike))
            opcodes.append(self._numbered(shape, alike))
            for index, name in enumerate(name for name in statement.names if name.kind == "def"):
                if statement.operation is not None:
                    known[name.text] = (self._intern((exact[-1], index)), self._intern((opcodes[-1], index)))
        self.statements[id(block)], self.exact[id(block)], self.opcodes[id(block)] = made, exact, opcodes
        return self._intern(("block", len(block.parameters), tuple(exact)))

    def _numbered(self, number: int, alike: dict[int, int]) -> int:
        """Of equal statements in a block, only the first keeps `number`."""
        alike[number] = alike.get(number, 0) + 1
        return number if alike[number] == 1 else self._intern(("occurrence", number, alike[number]))

    def _used(self, name: Name, known: dict[str, tuple[int, int]]) -> tuple[int, int]:
        if (block := self.block_of(name)) is not None:
            return self.digest(block), self._intern(("block", len(block.parameters)))
        key = name.text if name.text in known else name.text.lstrip("%")
        return known.get(key) or (self._intern(("free", name.text)),) * 2

    def users(self, block: Block) -> list[int]:
        """For each statement a hash of all that is computed from it, down to the results; only opcodes."""
        made = self.statements[id(block)]
        used: dict[str, list[tuple[int, int]]] = {}
        numbers = [0] * len(made)
        alike: dict[int, int] = {}
        for at in range(len(made) - 1, -1, -1):
            names = made[at].names
            followers = sorted(use for name in names if name.kind == "def" for use in used.get(name.text, ()))
            numbers[at] = self._numbered(self._intern((made[at].opcode, tuple(followers))), alike)
            for position, name in enumerate(names):
                if name.kind == "use":
                    used.setdefault(name.text, []).append((numbers[at], position))
        return numbers
