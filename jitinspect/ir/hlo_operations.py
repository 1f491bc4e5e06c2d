"""What two modules compute, compared: what XLA is given, and what it has made, maybe of something else.

XLA repeats, merges and rewrites instructions. What is said to differ here does so in any case: a primitive of
JAX that the other module does not have at all, a precision, or a constant of operations that are as many in
both.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jitinspect.ir.hlo_operands import constant_operands, not_folded, times_inlined
from jitinspect.ir.hlo_proto import Instruction, Module, computes

_SEPARATORS = re.compile(r"[/;]")
_OFTEN_REMOVED = frozenset(("select", "compare", "and", "or", "not"))
_PRECISIONS = ("default", "high", "highest")


@dataclass(frozen=True, slots=True)
class OperationChange:
    """`what` differs, from `before` to `now`; None for what is not there at all."""

    what: str
    before: str | None
    now: str | None


def changes(made: Module, given: Module) -> list[OperationChange]:
    """From the module that XLA has `made` of another one to the one that it is `given` now."""
    return list(_primitives(made, given)) or [*_precisions(made, given), *_constants(made, given)]


def missing(made: Module, given: Module) -> tuple[str, ...]:
    """Primitives that the module that is given computes with, and that XLA's has no trace of: maybe because
    their results are not used.
    """
    opcodes = {one.opcode for one in _instructions(made)} | _OFTEN_REMOVED
    names = _primitives_of(made)
    computing = filter(computes, not_folded(given))
    found = (one.primitive for one in computing if one.opcode not in opcodes and one.primitive not in names)
    return tuple(dict.fromkeys(found))


def _instructions(module: Module) -> Iterator[Instruction]:
    for computation in module.computations.values():
        yield from computation.values()


def _primitives_of(module: Module) -> dict[str, None]:
    """The last words of paths, in their order. A function of the user's is none: `jit(relu)`."""
    named = (one.primitive for one in _instructions(module) if one.opcode != "parameter")
    return dict.fromkeys(name for name in named if name and "(" not in name)


def _primitives(made: Module, given: Module) -> Iterator[OperationChange]:
    words = {word for one in _instructions(given) for word in _SEPARATORS.split(one.path)}
    gone = [name for name in _primitives_of(made) if name not in words]
    if gone:
        new = missing(made, given)
        yield OperationChange("operations", ", ".join(gone), ", ".join(new) or None)


def _precisions(made: Module, given: Module) -> Iterator[OperationChange]:
    before, now = _precisions_of(made), _precisions_of(given)
    for name in (one for one in before if one in now):
        gone, new = before[name] - now[name], now[name] - before[name]
        if gone and gone.total() == new.total():
            yield OperationChange(f"precision of {name}", _shown(gone), _shown(new))


def _precisions_of(module: Module) -> Mapping[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    times = times_inlined(module)
    for at, computation in module.computations.items():
        for one in computation.values():
            if one.opcode in ("dot", "convolution"):
                found.setdefault(one.primitive, Counter())[_precision(one.precision)] += times[at]
    return found


def _precision(numbers: tuple[int, ...]) -> str:
    """`highest` for both operands, or `high × highest`; an algorithm by its number."""
    names = [
        f"algorithm {-one}" if one < 0 else _PRECISIONS[one] if one < len(_PRECISIONS) else str(one)
        for one in numbers
    ]
    return " × ".join(dict.fromkeys(names)) or "default"


def _constants(made: Module, given: Module) -> Iterator[OperationChange]:
    """Only if XLA has kept all operations with a constant that the given module has."""
    before, now = constant_operands(made), constant_operands(given)
    if any(before.get(name, Counter()).total() != values.total() for name, values in now.items()):
        return
    for (name, opcode), values in now.items():
        gone, new = before[name, opcode] - values, values - before[name, opcode]
        if gone or new:
            yield OperationChange(f"constant of {name}", _shown(gone), _shown(new))


def _shown(values: Counter[str]) -> str:
    return ", ".join(values.elements())
