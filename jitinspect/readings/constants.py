"""`constants`: the arrays that the function closes over, how they get into the program, and where."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jitinspect.jaxapi.arrays.captured as capturing
from jitinspect.jaxapi.arrays.captured import Captured
from jitinspect.jaxapi.arrays.module_constants import ModuleConstants
from jitinspect.model import Target
from jitinspect.model.readings import Constant, ConstantsReport
from jitinspect.process.paths import relative
from jitinspect.readings import array_names
from jitinspect.specs.describe import describe
from jitinspect.stages.inspection import Subject


def read(target: Target, subjects: Iterator[Subject]) -> ConstantsReport:
    """The constants of each subject, the largest first. Lowers, but compiles nothing."""
    report = ConstantsReport("constants", target, ())
    for subject in subjects:
        signature = report.target.signature or subject.signature
        constants = sorted(_constants(subject), key=lambda one: -one.bytes)
        report = replace(
            report,
            target=replace(report.target, signature=signature),
            constants=(*report.constants, *constants),
        )
    return report


def _constants(subject: Subject) -> Iterator[Constant]:
    found = capturing.captured(subject.pipeline.traced)
    module = ModuleConstants(subject.pipeline.lowered)
    names = _names(subject, found)
    for one in found:
        yield _constant(one, names.get(id(one)), module.enters(one.value), subject.signature)


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
