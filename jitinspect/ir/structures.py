"""Which computations of an HLO module are alike but for names: a program of many layers repeats a few."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping

from jitinspect.ir.program import Block, Operation


class Structures:
    """`structures[block]` is a number, the same for blocks that are alike, with all that they call. `root`
    gives the instruction whose value a block returns.
    """

    def __init__(self, blocks: Mapping[str, Block], root: Callable[[Block], Operation]) -> None:
        self._blocks = blocks
        self._root = root
        self._known: dict[str, int] = {}
        self._numbers: dict[Hashable, int] = {}

    def __getitem__(self, block: Block) -> int:
        number = self._known.get(block.name)
        if number is None:
            structure = self._structure(block)
            number = self._known[block.name] = self._numbers.setdefault(structure, len(self._numbers))
        return number

    def _structure(self, block: Block) -> Hashable:
        """Names stand for the instructions that have them, by their places."""
        places = {one.names[0]: place for place, one in enumerate(block.operations)}
        rows = [
            (
                one.opcode,
                one.type,
                self._attributes(one) if one.calls else one.rest,
                one.arguments,
                tuple(map(places.get, one.operands)),
            )
            for one in block.operations
        ]
        return places[self._root(block).names[0]], tuple(rows)

    def _attributes(self, one: Operation) -> Hashable:
        """With what it calls instead of the names."""
        rest = one.rest
        for name in one.calls:
            rest = rest.replace(f"%{name}", "%")
        called = (self._blocks.get(name) for name in one.calls)
        return rest, tuple(None if block is None else self[block] for block in called)
