"""Instructions in one form, whichever backend printed them.

XLA for TPUs and for CUDA prints asynchronous operations as `copy-start`, `all-gather-start`, `fusion-start`,
whose types hold operands and semaphores as well, elements of tuples as `%a#1`, and fusions in fused
computations (libtpu 0.0.42.1 and 0.0.50.1; jax-cuda12-plugin 0.10.2, jax-cuda13-plugin 0.12.0.1).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from jitinspect.ir.program import Block, Operation
from jitinspect.ir.shapes import parts

_OPERAND = re.compile(r"%([\w.\-]+(?:#\d+)?)")
_NUMBER = re.compile(r"\d+")
Root = Callable[[Block], Operation]
"""The instruction whose value a computation returns."""
_START = "-start"
_OTHER_STARTS = ("async-start",)
"""What runs a computation, and is not an operation itself."""
_OF_RESULT = ("all-reduce-start", "copy-start")
"""Their types begin with the result; other types are of the operands, the result, and semaphores."""


def plain(operation: Operation) -> Operation:
    """`copy-start` as a `copy` with the type of its result, and elements of tuples among its operands."""
    if operation.arguments:
        operation = replace(operation, operands=tuple(_OPERAND.findall(operation.arguments)))
    if not operation.opcode.endswith(_START) or operation.opcode in _OTHER_STARTS:
        return operation
    opcode = operation.opcode.removesuffix(_START)
    return replace(operation, opcode=opcode, type=_result_type(operation))


def _result_type(started: Operation) -> str:
    if started.opcode == "all-reduce-start":
        return started.type
    found = parts(started.type)
    return found[0 if started.opcode in _OF_RESULT or len(found) < 2 else 1]


def operand_types(operations: Iterable[Operation]) -> dict[str, str]:
    """The types of what these define, and of the elements of tuples among their operands."""
    operations = list(operations)
    types = {one.names[0]: one.type for one in operations}
    for operation in operations:
        for name in _OPERAND.findall(operation.arguments) if operation.arguments else ():
            if "#" in name:
                types[name] = _element(types, name)
    return types


def _element(types: Mapping[str, str], name: str) -> str:
    whole, _, index = name.partition("#")
    found = parts(types.get(whole, ""))
    return found[int(index)] if int(index) < len(found) else ""


def inlined(block: Block, blocks: Mapping[str, Block], root: Root) -> Sequence[Operation]:
    """The instructions of a fused computation, with those of the fusions in it, and an instruction for each
    element of a tuple. What a fusion is given, and what it gives, are bitcasts.
    """
    if not any(one.opcode == "fusion" or one.arguments for one in block.operations):
        return block.operations
    return list(_Inlining(blocks, root).within(block))


@dataclass(frozen=True, slots=True)
class _Inlining:
    blocks: Mapping[str, Block]
    root: Root

    def within(self, block: Block, prefix: str = "", given: Sequence[str] = ()) -> Iterator[Operation]:
        """`prefix` makes names unique, `given` are the names of what the fusion is given."""
        types = operand_types(block.operations)
        elements = sorted(name for name in types if "#" in name)
        for original in block.operations:
            operation = _prefixed(plain(original), prefix)
            if operation.opcode == "fusion":
                inner, within = self.blocks[operation.calls[0]], f"{operation.names[0]}/"
                yield from self.within(inner, within, operation.operands)
                operation = _view(operation, within + self.root(inner).names[0])
            elif operation.opcode == "parameter" and prefix:
                operation = _view(operation, given[_number(operation)])
            yield operation
            for name in elements:
                if name.partition("#")[0] == original.names[0]:
                    yield _element_of(operation, prefix + name, types[name])


def _prefixed(operation: Operation, prefix: str) -> Operation:
    if not prefix:
        return operation
    names, operands = ((prefix + name for name in group) for group in (operation.names, operation.operands))
    return replace(operation, names=tuple(names), operands=tuple(operands))


def _view(operation: Operation, of: str) -> Operation:
    return replace(operation, opcode="bitcast", operands=(of,), calls=())


def _element_of(operation: Operation, name: str, type_: str) -> Operation:
    index = f", index={name.rpartition('#')[2]}"
    return replace(
        operation,
        names=(name,), opcode="get-tuple-element", operands=operation.names, type=type_, rest=index,
        calls=(),
    )  # fmt: skip


def _number(parameter: Operation) -> int:
    found = _NUMBER.match(parameter.rest)
    return int(found[0]) if found else 0
