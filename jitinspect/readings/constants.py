"""`constants`: the arrays that the function closes over, how they get into the program, and where."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import jitinspect.jaxapi.arrays.captured as capturing
from jitinspect.ir import shapes
from jitinspect.ir.attribution import attribute
from jitinspect.jaxapi.arrays.captured import Captured
from jitinspect.jaxapi.arrays.module_constants import ModuleConstants
from jitinspect.jaxapi.arrays.replaced import another, replaced
from jitinspect.model import Target
from jitinspect.model.readings import Constant, ConstantsReport
from jitinspect.process.paths import relative
from jitinspect.readings import array_names
from jitinspect.specs.describe import describe
from jitinspect.stages.inspection import Subject
from jitinspect.stages.parsing import program

_MOST_LOWERINGS = 20
"""How often a function is lowered again; constants with equal literals beyond that get no count."""


def read(target: Target, subjects: Iterator[Subject]) -> ConstantsReport:
    """The constants of each subject, the largest first. Lowers, but compiles nothing."""
    report = ConstantsReport("constants", target, ())
    for subject in subjects:
        signature = report.target.signature or subject.signature
        of_file = not subject.pipeline.has_jaxpr
        found = _of_file(target.file, subject) if of_file else _constants(subject)
        constants = sorted(found, key=lambda one: -one.bytes)
        report = replace(
            report,
            target=replace(report.target, signature=signature),
            constants=(*report.constants, *constants),
            of_file=of_file,
        )
    return report


def _of_file(file: str | None, subject: Subject) -> Iterator[Constant]:
    """The arrays in the text of a module that comes from a file, which does not tell what they were."""
    module = program("hlo", subject.pipeline)
    attribution = attribute(module, file)
    users = Counter(name for operation in module.operations() for name in operation.operands)
    for operation in module.operations():
        arrays = () if operation.opcode != "constant" else shapes.arrays(operation.type)
        for array in (one for one in arrays if one.dims):
            line = next(iter(attribution.lines(operation)), None)
            yield Constant(
                array.dims,
                array.dtype,
                array.bytes,
                relative(str(line)) if line else None,
                operation.names[0],
                "literal",
                f"{array.dtype}[{','.join(map(str, array.dims))}]",
                users[operation.names[0]],
                subject.signature,
            )


def _constants(subject: Subject) -> Iterator[Constant]:
    found = capturing.captured(subject.pipeline.traced)
    module = ModuleConstants(subject.pipeline.lowered)
    names = _names(subject, found)
    with subject.muted():
        enters = list(_enter(subject, module, [one.value for one in found]))
    for one, how in zip(found, enters, strict=True):
        yield _constant(one, names.get(id(one)), how, subject.signature)


def _enter(subject: Subject, module: ModuleConstants, values: Sequence[Any]) -> Iterator[str]:
    """How each array gets into the module. Where equal literals may stem from elsewhere, the function is
    lowered once more with another array: what is missing then was this one.
    """
    left = _MOST_LOWERINGS
    for value in values:
        count: int | None = module.equal_literals(value)
        if module.may_be_others(value):
            count, left = (_own(subject, module, value) if left else None), max(left - 1, 0)
        yield module.enters(value, count)


def _own(subject: Subject, module: ModuleConstants, value: Any) -> int:
    """How many literals of the module an array became."""
    other = replaced(subject.pipeline.traced, value, another(value)).lower()
    return module.equal_literals(value) - ModuleConstants(other).equal_literals(value)


def _constant(one: Captured, name: str | None, enters: str, signature: str) -> Constant:
    value = one.value
    return Constant(
        shape=tuple(value.shape),
        dtype=str(value.dtype),
        bytes=math.prod(value.shape) * int(value.dtype.itemsize),
        source=relative(one.line),
        name=name,
        enters=enters,
        type=describe(one.aval),
        uses=one.uses,
        signature=signature,
    )


def _names(subject: Subject, found: list[Captured]) -> dict[int, str]:
    """Captured array (its `id`) → name, if the function can reach that array by a name."""
    named: dict[int, str] = {}
    reachable: Iterator[tuple[str, Any]] = array_names.arrays(subject.jitted.call) if found else iter(())
    for name, value in reachable:
        for one in found:
            if id(one) not in named and capturing.is_held_as(one.value, value):
                named[id(one)] = name
        if len(named) == len(found):
            break
    return named
