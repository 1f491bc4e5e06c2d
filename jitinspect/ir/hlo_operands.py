"""The constants that a module's operations work with, as XLA keeps them while it fuses and inlines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from jitinspect.ir.hlo_proto import Instruction, Module, computes
from jitinspect.ir.hlo_proto_values import literal, negative, reciprocal

_SAME_VALUE = frozenset(("broadcast", "reshape", "bitcast", "copy", "transpose"))
_INLINED = frozenset(("fusion", "call"))

Operation = tuple[str, str]
"""A primitive of JAX, and the opcode that it has become: `("mul", "multiply")`."""
Callers = Mapping[int, list[tuple[int, Instruction]]]
"""Computation → the computations that use it, and by which of their instructions."""

Folded = Mapping[int, set[int]]
"""Computation → those of its instructions that are constants, or follow from some."""


def constant_operands(module: Module) -> dict[Operation, Counter[str]]:
    """The constant operands of operations, as often as they occur once all is inlined. Of two operations that
    do the same with different constants (x / 4 and x × 0.25) it is the one that XLA prefers.
    """
    found: dict[Operation, Counter[str]] = {}
    callers, times = _callers(module), times_inlined(module)
    for at, computation in module.computations.items():
        for one in filter(computes, computation.values()):
            values = [_constant(module, callers, at, operand) for operand in one.operands]
            if any(values) and not all(values):
                opcode, shown = _preferred(one.opcode, values)
                found.setdefault((one.primitive, opcode), Counter())[shown] += times[at]
    return found


def times_inlined(module: Module) -> dict[int, int]:
    """How often each computation occurs, once all calls are inlined: XLA's modules list those that call after
    those that they call.
    """
    callers = _callers(module)
    times: dict[int, int] = {}
    for at in reversed(list(module.computations)):
        times[at] = sum(times.get(caller, 1) for caller, _ in callers.get(at, ())) or 1
    return times


def not_folded(module: Module) -> Iterator[Instruction]:
    """The instructions that XLA cannot compute beforehand. It leaves out what selects by a constant, too."""
    callers = _callers(module)
    folded: dict[int, set[int]] = {}
    for at in reversed(list(module.computations)):
        known = folded.setdefault(at, set())
        for number, one in module.computations[at].items():
            decisive = one.operands[:1] if one.opcode == "select" else one.operands
            if one.opcode == "parameter":
                is_known = _is_given(one, callers.get(at, []), folded)
            else:
                is_known = one.opcode == "constant" or bool(decisive and known.issuperset(decisive))
            if is_known:
                known.add(number)
            else:
                yield one


def _is_given(parameter: Instruction, callers: Iterable[tuple[int, Instruction]], folded: Folded) -> bool:
    """Whether every call gives a constant."""
    at = parameter.number
    given = [
        one.opcode in _INLINED and {*one.operands[at : at + 1]} <= folded.get(caller, set())
        for caller, one in callers
    ]
    return bool(given) and all(given)


def _callers(module: Module) -> Callers:
    found: dict[int, list[tuple[int, Instruction]]] = {}
    for at, computation in module.computations.items():
        for one in computation.values():
            for called in one.called:
                found.setdefault(called, []).append((at, one))
    return found


def _constant(module: Module, callers: Callers, at: int, operand: int) -> str | None:
    """The value of an operand, if it is a constant; also one that is given to the fusion or call that the
    computation stands for.
    """
    computation = module.computations[at]
    one = computation.get(operand)
    for _ in computation:  # no more: what is damaged may lead in a circle
        if one is None or one.opcode not in _SAME_VALUE or not one.operands:
            break
        one = computation.get(one.operands[0])
    if one is None:
        return None
    if one.opcode == "constant":
        return literal(one.literal) if one.literal else None
    of_this = callers.get(at, [])
    if one.opcode != "parameter" or len(of_this) != 1 or of_this[0][1].opcode not in _INLINED:
        return None
    caller, instruction = of_this[0]
    given = instruction.operands[one.number : one.number + 1]
    return _constant(module, callers, caller, given[0]) if given else None


def _preferred(opcode: str, values: list[str | None]) -> tuple[str, str]:
    last = values[-1]
    if opcode == "divide" and last and (other := reciprocal(last)):
        return "multiply", other
    if opcode == "subtract" and last and (other := negative(last)):
        return "add", other
    return opcode, " and ".join(filter(None, values))
