"""The operations of a lowered module with their Python lines, read from the module itself: printing it with
its locations, and reading those, takes some eight times as long.

Python bindings of MLIR on jaxlib 0.10.2 and 0.12.0.1; an older one has no classes of locations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

from jax._src.lib.mlir import ir  # type: ignore[attr-defined]

from jitinspect.ir.program import Block, Frame, Operation, Program

_CLASSES = ("CallSiteLoc", "FileLineColLoc", "FusedLoc", "NameLoc")
AVAILABLE = all(hasattr(ir, name) for name in _CLASSES)
"""Whether this jaxlib has the classes of locations."""
_CALLED = {
    "func.call": "callee",
    "stablehlo.composite": "decomposition",
    "stablehlo.custom_call": "called_computations",
}
"""The attributes that name functions."""
_SYMBOL = re.compile(r"@([\w.$\-]+)")
_COMMUTATIVE = frozenset(
    f"stablehlo.{name}" for name in ("add", "and", "maximum", "minimum", "multiply", "or", "xor")
)
_LONGEST = 1000
"""The most frames of one location."""


def walked(module: Any) -> Program:
    """What reading the module's text would give, but without text, names, operands and types. Opcodes are the
    whole ones: MLIR prints `func.call` as `call`.
    """
    return Program("stablehlo", [], list(_Walk().functions(module)))


class _Walk:
    """Reads each location once: MLIR keeps equal ones as one attribute."""

    def __init__(self) -> None:
        self._known: dict[Any, tuple[Frame, ...]] = {}

    def functions(self, module: Any) -> Iterator[Block]:
        """Those with a body."""
        for one in module.body.operations:
            operation = one.operation
            if operation.name != "func.func" or not len(blocks := operation.regions[0].blocks):
                continue
            attributes = operation.attributes
            name = attributes["sym_name"].value
            visibility = attributes["sym_visibility"].value if "sym_visibility" in attributes else None
            is_entry = visibility == "public" or name == "main"
            yield Block(name, (), self._operations(blocks[0]), 0, 0, is_entry)

    def _operations(self, block: Any) -> list[Operation]:
        return [self._operation(one.operation) for one in block.operations]

    def _operation(self, operation: Any) -> Operation:
        name, location = operation.name, operation.location
        frames = self._known.get(location.attr)
        return Operation(
            (),
            name,
            (),
            "",
            "",
            0,
            0,
            frames=self._frames(location) if frames is None else frames,
            inner=self._inner(operation, name),
            calls=_called(operation, name) if name in _CALLED else (),
        )

    def _inner(self, operation: Any, name: str) -> list[Block]:
        """The blocks in its regions, but for one that MLIR prints as a word: `applies stablehlo.add`."""
        regions = operation.regions
        if not len(regions) or (name == "stablehlo.reduce" and _is_one_word(regions[0].blocks[0])):
            return []
        blocks = chain.from_iterable(region.blocks for region in regions)
        return [Block(name, (), self._operations(block), 0, 0) for block in blocks]

    def _frames(self, location: Any) -> tuple[Frame, ...]:
        key = location.attr
        if key not in self._known:
            self._known[key] = self._read(location)[:_LONGEST]
        return self._known[key]

    def _read(self, location: Any) -> tuple[Frame, ...]:
        """Innermost first. A name around a file and line is that of the function; of a fused location, the
        first one with frames is taken.
        """
        if isinstance(location, ir.CallSiteLoc):
            return self._frames(location.callee) + self._frames(location.caller)
        if isinstance(location, ir.FileLineColLoc):
            return (Frame(location.filename, location.start_line, ""),)
        if isinstance(location, ir.FusedLoc):
            return next((found for part in location.locations if (found := self._frames(part))), ())
        if not isinstance(location, ir.NameLoc):
            return ()
        frames = self._frames(location.child_loc)
        if len(frames) == 1 and not frames[0].function:
            return (frames[0]._replace(function=location.name_str),)
        return frames


def _called(operation: Any, name: str) -> tuple[str, ...]:
    attributes = operation.attributes
    attribute = _CALLED[name]
    return tuple(_SYMBOL.findall(str(attributes[attribute]))) if attribute in attributes else ()


def _is_one_word(block: Any) -> bool:
    """Whether a reducer is one commutative operation on its two parameters, all of one type."""
    operations = [one.operation for one in block.operations]
    if len(operations) != 2 or operations[0].name not in _COMMUTATIVE:
        return False
    inner, returned = operations
    given, result = list(inner.operands), inner.results[0]
    is_of_one_type = given[0].type == given[1].type == result.type
    return is_of_one_type and given == list(block.arguments) and list(returned.operands) == [result]
