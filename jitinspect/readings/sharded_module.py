"""The module as XLA has it when each value's sharding is decided, but none is divided yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from jitinspect.ir import hlo, shapes
from jitinspect.ir.attribution import Attribution
from jitinspect.ir.hlo_sharding import attribute, elements
from jitinspect.ir.op_names import op_name, primitive
from jitinspect.ir.program import Block, Operation
from jitinspect.process.paths import relative

_REPLICATED = "{replicated}"
"""The sharding of an instruction without one: so does the partitioner read it."""
_NO_VALUES = ("parameter", "constant", "tuple", "get-tuple-element")


class Value(NamedTuple):
    """`alike` values that a line makes by one primitive, of one type and with one sharding."""

    line: str
    primitive: str
    type: shapes.Array
    sharding: str
    alike: int


class ShardedModule:
    """Reads the text of the module; `file` is the target's."""

    def __init__(self, text: str, file: str | None) -> None:
        self._program = hlo.parse(text)
        self._file = file
        self.devices = hlo.device_count(self._program)

    def parameters(self, leaves: Mapping[int, int]) -> dict[int, str]:
        """Leaf → its sharding; `leaves` are those of the module's parameters."""
        entry = [one for one in self._program.entry.operations if one.opcode == "parameter"]
        numbered = {hlo.parameter_number(one): attribute(one.rest) or _REPLICATED for one in entry}
        return {leaf: numbered[number] for number, leaf in leaves.items() if number in numbered}

    def results(self) -> tuple[str, ...]:
        """The sharding of each of the module's results."""
        root = self._program.root(self._program.entry)
        count = len(shapes.parts(root.type))
        text = attribute(root.rest)
        return elements(text) if text else (_REPLICATED,) * count

    def values(self) -> Iterator[Value]:
        """Those of a line, of one dimension or more: line by line, the largest first. Constants, and what
        passes values on, are left out.
        """
        counts = Counter(key for block in self._program.all_blocks() for key in self._of(block))
        for key in sorted(counts, key=lambda one: (_place(one[0]), -one[2].bytes)):
            yield Value(*key, counts[key])

    def _of(self, block: Block) -> Iterator[tuple[str, str, shapes.Array, str]]:
        texts = [attribute(one.rest) for one in block.operations]
        manual = next((text for text in texts if text and "manual" in text), _REPLICATED)
        types = {one.names[0]: one.type for one in block.operations}
        for operation, text in zip(block.operations, texts, strict=True):
            lines = self._attribution.lines(operation)
            if lines and _is_value(operation, types):
                line = f"{relative(lines[0].file)}:{lines[0].line}"
                yield (
                    line,
                    _primitive(operation),
                    shapes.arrays(operation.type)[0],
                    text or manual,
                )

    @cached_property
    def _attribution(self) -> Attribution:
        return Attribution(self._program, self._file)


def _is_value(operation: Operation, types: Mapping[str, str]) -> bool:
    """A constant that is broadcast is one value, which no device needs to hold as an array."""
    arrays = () if operation.type.startswith("(") else shapes.arrays(operation.type)
    if not arrays or not arrays[0].dims or operation.opcode in _NO_VALUES:
        return False
    return operation.opcode != "broadcast" or any(
        one.dims for name in operation.operands for one in shapes.arrays(types.get(name, ""))
    )


def _primitive(operation: Operation) -> str:
    """Inside a `shard_map` it is all of the name, without a path (jaxlib 0.10.2 and 0.12.0.1)."""
    return primitive(operation.rest) or op_name(operation.rest) or operation.opcode


def _place(line: str) -> tuple[str, int]:
    file, _, number = line.rpartition(":")
    return file, int(number)
