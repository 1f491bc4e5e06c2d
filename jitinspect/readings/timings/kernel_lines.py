"""XLA:CPU's kernels → the instructions that they carry out, and the Python lines of these.

XLA makes an LLVM module for a fusion or another instruction, and names it after that: `add_fusion.1` has
`add_fusion.1_kernel_module` or `__compute_module_add_fusion.1` (seen on jaxlib 0.8.3 to 0.12.0). What is
left, such as a sort's comparator, is together in `part_00`, whose functions have the names of computations.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from jitinspect.ir.attribution import Attribution, Line
from jitinspect.ir.program import Operation, Program

_AROUND = re.compile(r"(?:__compute_module_)?(.+?)(?:_kernel_module)?")
_ENDINGS = ("_elemental", "_computation", "_kernel")


class Kernel(NamedTuple):
    """`name` is that of the instruction, or of the module if it is for none, or for several. `instructions`
    is how many there are in it.
    """

    name: str
    lines: tuple[Line, ...]
    instructions: int


class KernelLines:
    """Reads the optimized program."""

    def __init__(self, program: Program, attribution: Attribution) -> None:
        self._attribution = attribution
        self._blocks = program.named()
        operations = list(program.operations())
        self._made = {one.names[0]: one for one in operations}
        self._callers = {name: one for one in operations for name in one.calls}

    def kernel(self, module: str, symbols: Iterable[str]) -> Kernel:
        """`symbols` may be any strings, among them the names of the module's functions."""
        own = plain(module)
        found = self._found(own) or list(self._of_symbols(symbols))
        inside = [one for operation in found for one in self._inside(operation)]
        lines = {line for operation in found for line in self._lines(operation)}
        name = found[0].names[0] if len(found) == 1 else own
        return Kernel(name, tuple(sorted(lines)), len(inside))

    def _of_symbols(self, symbols: Iterable[str]) -> Iterator[Operation]:
        for symbol in sorted(symbols):
            yield from self._found(symbol)

    def _found(self, name: str) -> list[Operation]:
        """The instruction of that name, or the one that calls the computation."""
        for spelling in (name, name.removeprefix("_"), *(name.removesuffix(ending) for ending in _ENDINGS)):
            one: Operation | None = self._made.get(spelling) or self._callers.get(spelling)
            if one is not None:
                return [one]
        return []

    def _lines(self, operation: Operation) -> tuple[Line, ...]:
        """Of a call, those of what it calls: XLA puts whole loops there, and gives the call no line."""
        if operation.opcode == "call":
            return tuple(line for one in self._inside(operation) for line in self._attribution.lines(one))
        return self._attribution.lines(operation)

    def _inside(self, operation: Operation) -> list[Operation]:
        """The instructions that it consists of."""
        blocks = [self._blocks[name] for name in operation.calls if name in self._blocks]
        return [one for block in blocks for one in block.operations] or [operation]


def plain(module: str) -> str:
    """The name of a module without what XLA adds to that of the instruction."""
    found = _AROUND.fullmatch(module)
    return found[1] if found else module
