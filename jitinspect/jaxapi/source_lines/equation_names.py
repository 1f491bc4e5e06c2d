"""What JAX calls the equations of a jaxpr once it lowers them: transformations, scopes and primitive.

The lowering of an equation is named `name_stack/primitive`, and what is inside its jaxprs begins with more
words, such as `while/body` for a scan (`jax._src.interpreters.mlir.jaxpr_subcomp` and the rules of the
primitives; 0.9.2 to 0.12.0.1). Most primitives are lowered by themselves and put below that name; a jit is
lowered in place, so that transformations around it take its name in: `jvp(jit(f))`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax

from jitinspect.ir.program import Block, Operation, Program
from jitinspect.jaxapi.source_lines.jaxpr_lines import opened

KNOWN_FROM = (0, 9)
"""The oldest JAX whose names these are; 0.8.3 names branches and rules of derivatives otherwise."""
_JITS = ("jit", "pjit")
_LOWERED_AS = {"scan": "while"}
"""Primitives that are lowered as another one."""
_AROUND: dict[str, Callable[[str, int], str]] = {
    "scan": lambda parameter, index: "while/body",
    "while": lambda parameter, index: "while/" + parameter.removesuffix("_jaxpr"),
    "cond": lambda parameter, index: f"cond/branch_{index}_fun",
    "remat2": lambda parameter, index: "checkpoint",
    "checkpoint": lambda parameter, index: "checkpoint",
    "custom_jvp_call": lambda parameter, index: "",
    "shard_map": lambda parameter, index: "",
    "closed_call": lambda parameter, index: "closed_call",
    "eval_jaxpr": lambda parameter, index: "eval_jaxpr",
}
"""By primitive: what stands between an equation's own scopes and those in its jaxpr, which is the one with
this index in the parameter.
"""


class _Inner(NamedTuple):
    """A jaxpr of an equation, and what is put in front of the names inside."""

    jaxpr: Any
    around: str | None


def name_equations(program: Program, traced: jax.stages.Traced) -> None:
    """Adds `path` and `around` to the equations of a program, which is the text of what was traced. Those of
    a part that is not printed as the jaxpr has it get none, nor does any before `KNOWN_FROM`.
    """
    if jax.__version_info__ < KNOWN_FROM:
        return
    _Naming(program).block(program.entry, traced.jaxpr.jaxpr)


class _Naming:
    """Walks text and jaxpr side by side; a block that several equations share is named once."""

    def __init__(self, program: Program) -> None:
        self._blocks = program.named()
        self._named: set[int] = set()
        self._stacks: dict[int, str] = {}

    def block(self, block: Block, jaxpr: Any) -> None:
        if id(block) in self._named or not _alike(block, jaxpr):
            return
        self._named.add(id(block))
        for operation, equation in zip(block.operations, jaxpr.eqns, strict=True):
            self._equation(operation, equation)

    def _equation(self, operation: Operation, equation: Any) -> None:
        stack = self._stack(equation.source_info.name_stack)
        operation.path = _path(equation, stack)
        called = [self._blocks.get(name) for name in operation.calls]
        blocks = [*operation.inner, *called]
        if not blocks:
            return
        pairs = _paired(blocks, list(_inner(equation, stack)), mixed=bool(operation.inner and called))
        operation.around = tuple(inner.around if inner else None for inner in pairs)
        for block, inner in zip(blocks, pairs, strict=True):
            if block is not None and inner is not None:
                self.block(block, inner.jaxpr)

    def _stack(self, stack: Any) -> str:
        """Equations share them; the jaxpr keeps them alive."""
        if id(stack) not in self._stacks:
            self._stacks[id(stack)] = str(stack)
        return self._stacks[id(stack)]


def _path(equation: Any, stack: str) -> str:
    name = equation.primitive.name
    if name in _JITS:
        return str(equation.source_info.name_stack.extend(f"jit({equation.params['name']})"))
    return _joined(stack, _LOWERED_AS.get(name, name))


def _around(equation: Any, stack: str, parameter: str, index: int) -> str | None:
    name = equation.primitive.name
    if name in _JITS:
        return _path(equation, stack)
    if name == "custom_vjp_call":  # lowered in place: transformations would take in the scopes inside
        return None if stack.endswith(")") else stack
    return _joined(stack, _AROUND[name](parameter, index)) if name in _AROUND else None


def _inner(equation: Any, stack: str) -> Iterator[_Inner]:
    """In the order in which they are printed: that of the parameters' names."""
    for parameter, value in sorted(equation.params.items()):
        for index, jaxpr in enumerate(opened(value)):
            yield _Inner(jaxpr, _around(equation, stack, parameter, index))


def _paired(blocks: Sequence[Block | None], jaxprs: list[_Inner], mixed: bool) -> list[_Inner | None]:
    """The jaxpr that each block is the text of; None where that is not sure. `mixed` blocks are not in the
    order of the text.
    """
    found: list[_Inner | None] = []
    for block in blocks:
        fitting = [one for one in jaxprs if block is not None and _alike(block, one.jaxpr)]
        if not fitting or (mixed and len(fitting) > 1):
            found.append(None)
            continue
        found.append(fitting[0])
        jaxprs.remove(fitting[0])
    return found


def _alike(block: Block, jaxpr: Any) -> bool:
    """Whether the block has the jaxpr's equations."""
    return len(block.operations) == len(jaxpr.eqns) and all(
        operation.opcode == equation.primitive.name
        for operation, equation in zip(block.operations, jaxpr.eqns, strict=True)
    )


def _joined(*parts: str) -> str:
    return "/".join(part for part in parts if part)
