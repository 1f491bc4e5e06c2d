"""What moves between devices in one call, and for which lines."""

from __future__ import annotations

from functools import partial

from jitinspect.ir import shapes
from jitinspect.ir.attribution import Line, attribute
from jitinspect.ir.hlo_sharding import Axes
from jitinspect.ir.source_files import SourceFiles
from jitinspect.jaxapi.executables.given_executables import GivenExecutable
from jitinspect.jaxapi.executables.meshes import meshes
from jitinspect.jaxapi.executables.shardings import argument_axes
from jitinspect.jaxapi.jits.argument_names import argument_names
from jitinspect.jaxapi.jits.leaf_names import names_in
from jitinspect.jaxapi.source_lines.constraints import PRIMITIVES as CONSTRAINING
from jitinspect.jaxapi.source_lines.constraints import constraints
from jitinspect.jaxapi.source_lines.global_shapes import PER_DEVICE, Shapes, global_shapes
from jitinspect.model.communication import Collective, MeshShape
from jitinspect.process import garbage_collection
from jitinspect.readings.communication import lowered_program
from jitinspect.readings.communication.asked import PRIMITIVES
from jitinspect.readings.communication.causes import Laid, OwnCollective
from jitinspect.readings.communication.rows import Communication
from jitinspect.stages.inspection import Subject
from jitinspect.stages.parsing import program
from jitinspect.stages.pipeline import compiled_text


def communication(subject: Subject, file: str | None, sources: SourceFiles) -> Communication:
    """`file` is the target's. Compiles it. Raises `UnavailableError` if the compiled HLO is not available."""
    text = compiled_text(subject.pipeline)
    with garbage_collection.paused():
        used = meshes_of(subject)
        shapes = _shapes(subject)
        own, laid = partial(_own, subject, file), partial(_laid, subject, shapes)
        return Communication(text, file, used, _arguments(subject), own, laid, shapes, sources)


def collectives_of(subject: Subject, file: str | None) -> tuple[Collective, ...]:
    """In the order of the compiled program."""
    return tuple(communication(subject, file, SourceFiles()).rows())


def asking(subject: Subject, file: str | None) -> dict[str, tuple[tuple[Line, float], ...]]:
    """By name of a collective, the lines that asked for it, and the part of its bytes that is for each."""
    return communication(subject, file, SourceFiles()).asking()


def meshes_of(subject: Subject) -> tuple[MeshShape, ...]:
    """Those of the program; of one that is read from a file, what that tells."""
    compiled = subject.pipeline.compiled if not subject.pipeline.has_lowered else None
    if isinstance(compiled, GivenExecutable):
        return compiled.meshes
    return meshes(subject.pipeline.traced, subject.call)


def _arguments(subject: Subject) -> dict[str, Axes]:
    """How the arrays of the call lie on a mesh, by path."""
    compiled = subject.pipeline.compiled
    given = compiled.axes if isinstance(compiled, GivenExecutable) else argument_axes(compiled)
    names = names_in(subject.jitted.call, subject.call, subject.pipeline.traced)
    if len(given) != len(names):
        return {}
    return {name: axes for name, axes in zip(names, given, strict=True) if axes is not None}


def _shapes(subject: Subject) -> Shapes:
    if subject.pipeline.has_jaxpr:
        return global_shapes(subject.pipeline.traced)
    if not subject.pipeline.has_lowered:
        return {}
    return lowered_program.global_shapes(program("stablehlo", subject.pipeline))


def _own(subject: Subject, file: str | None) -> list[OwnCollective]:
    """The program's own collectives, in the order of its jaxpr."""
    if not subject.pipeline.has_lowered:
        return []
    if not subject.pipeline.has_jaxpr:
        lowered = program("stablehlo", subject.pipeline)
        return lowered_program.own_collectives(lowered, attribute(lowered, file))
    jaxpr = program("jaxpr", subject.pipeline, text=False)
    attribution = attribute(jaxpr, file)
    return [
        OwnCollective(one.opcode, array.dims, line)
        for one in jaxpr.operations()
        if one.opcode in PRIMITIVES
        for array in shapes.arrays(one.type)
        for line in attribution.lines(one)[:1]
    ]


def _laid(subject: Subject, shapes: Shapes) -> list[Laid]:
    """What the program says of how values lie on the mesh; arguments by their paths."""
    if shapes.keys().isdisjoint((*CONSTRAINING, PER_DEVICE)):
        return []
    traced = subject.pipeline.traced
    names = argument_names(traced)
    if not subject.pipeline.has_jaxpr:
        return lowered_program.laid(program("stablehlo", subject.pipeline), names)
    return [
        Laid(one.frames, one.axes, names[one.of] if isinstance(one.of, int) else one.of)
        for one in constraints(traced)
    ]
