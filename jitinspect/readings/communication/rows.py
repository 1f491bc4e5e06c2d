"""The collectives of a compiled program, each as a row of a report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate, chain, pairwise
from typing import TYPE_CHECKING, NamedTuple

from jitinspect.ir import hlo
from jitinspect.ir.attribution import Line, attribute
from jitinspect.ir.collectives import CollectiveOperation, part
from jitinspect.ir.dataflow import Dataflow
from jitinspect.ir.executions import BlockExecutions, needs_whole
from jitinspect.ir.hlo_sharding import Axes
from jitinspect.ir.mesh_axes import axes_of_groups, axes_of_pairs, size_of_axes, tiles
from jitinspect.ir.op_names import op_name
from jitinspect.ir.program import Program
from jitinspect.ir.replication import Replication
from jitinspect.ir.source_files import SourceFiles
from jitinspect.model.communication import Collective, MeshShape
from jitinspect.process.paths import relative
from jitinspect.readings.communication.advice import advice
from jitinspect.readings.communication.asked import Asked, asked
from jitinspect.readings.communication.causes import Cause, Causes, Laid, OwnCollective, is_merged
from jitinspect.readings.communication.moved_values import MovedValue, moved_values
from jitinspect.readings.communication.overlap import overlaps
from jitinspect.readings.communication.readable import readable_collectives
from jitinspect.readings.communication.reshardings import resharding

if TYPE_CHECKING:
    from jitinspect.jaxapi.source_lines.global_shapes import Shapes


class _Told(NamedTuple):
    """A collective, and what the program's text says of it: who asked, unless XLA left no word of that on it
    or on what calls its computation, the axes of the mesh that it runs over, and the values that are known
    of what it moves.
    """

    one: CollectiveOperation
    asked: Asked
    is_unnamed: bool
    axes: tuple[str, ...]
    values: Sequence[MovedValue]

    @property
    def value(self) -> MovedValue:
        """The first."""
        return self.values[0] if self.values else MovedValue()


class Communication:
    """The rows of one module; `text` is JAX's own. `arguments` are the shardings of arrays by path, `file`
    is the target's, `own` gives the program's own collectives, in its jaxpr, `laid` its constraints, and
    `shapes` are those of all that it makes.
    """

    def __init__(
        self,
        text: str,
        file: str | None,
        meshes: Sequence[MeshShape],
        arguments: Mapping[str, Axes],
        own: Callable[[], Sequence[OwnCollective]],
        laid: Callable[[], Sequence[Laid]],
        shapes: Shapes,
        sources: SourceFiles,
    ) -> None:
        self._program = _enough(text)
        self._flow = Dataflow(self._program)
        self._causes = Causes(attribute(self._program, file), self._flow, own, laid)
        self._replication = Replication(self._program, self._flow, self._tiles)
        self._executions = BlockExecutions(self._program)
        self.meshes = tuple(meshes)
        self._arguments = arguments
        self._shapes = shapes
        self._sources = sources

    def rows(self) -> list[Collective]:
        """In the order of the text."""
        return [self._row(*one) for one in self._found]

    def asking(self) -> dict[str, tuple[tuple[Line, float], ...]]:
        """By name of a collective, the lines that asked for it, and the part of it that is for each."""
        return {
            told.one.operation.names[0]: tuple(
                (cause.line, bytes_ / max(told.one.wire_bytes, 1))
                for cause, bytes_ in zip(causes, _shares(told.one.wire_bytes, causes), strict=True)
            )
            for told, causes in self._found
            if causes
        }

    @cached_property
    def _found(self) -> list[tuple[_Told, tuple[Cause, ...]]]:
        """Those of the program, each with what caused it."""
        found = [self._told(one) for one in readable_collectives(self._program)]
        if any((is_merged(told.one) and told.asked.by == "user") or told.is_unnamed for told in found):
            for told in found:
                if told.asked.by == "user" and not is_merged(told.one):
                    self._causes.claim(told.one, told.asked.primitive)
        return [(told, self._causes_of(told)) for told in map(self._recognized, found)]

    def _told(self, one: CollectiveOperation) -> _Told:
        """The metadata may be on what calls the computation that it is in."""
        lines = self._lines(one)
        found = [asked(line) for line in lines]
        known = next((item for item in found if item.primitive), found[0])
        is_unnamed = not known.primitive and not any(map(op_name, lines))
        values = [value for value in moved_values(one, self._flow) if str(value)]
        return _Told(one, known, is_unnamed, self._axes(one), values)

    def _recognized(self, told: _Told) -> _Told:
        own = self._causes.own_primitive(told.one) if told.is_unnamed else None
        return told._replace(asked=Asked("user", own)) if own else told

    def _causes_of(self, told: _Told) -> tuple[Cause, ...]:
        primitive = told.asked.primitive if told.asked.by == "user" else None
        return self._causes.of(told.one, primitive, told.axes, told.value.argument or None)

    def _row(self, told: _Told, causes: Sequence[Cause]) -> Collective:
        one, axes = told.one, told.axes
        line = causes[0].line if causes else None
        group = size_of_axes(axes, self.meshes) if one.pairs is not None and axes else one.group
        runs = self._executions[one.block]
        before, after = self._resharding(told) if told.asked.by == "partitioner" else (None, None)
        return Collective(
            kind=one.kind,
            instruction=one.operation.names[0],
            file=relative(line.file) if line else None,
            line=line.line if line else None,
            axes=axes,
            group=group,
            bytes_in=one.bytes_in,
            bytes_out=one.bytes_out,
            wire_bytes=one.wire_bytes,
            runs=runs.counted if runs.known else None,
            counted_runs=runs.counted,
            asked_by=told.asked.by,
            groups=len(one.groups or ()) or 1,
            in_branch=runs.in_branch,
            instructions=tuple(item.names[0] for item in (one.operation, *(last for _, last in one.others))),
            type=_type(one),
            text=self._sources.text_of(line) if line else "",
            lines=tuple(relative(str(cause.line)) for cause in causes),
            line_bytes=tuple(_shares(one.wire_bytes, causes)),
            primitive=told.asked.primitive,
            value=", ".join(dict.fromkeys(map(str, told.values))) or None,
            before=before,
            after=after,
            overlaps=overlaps(one, self._flow),
            hint=advice(one, told.asked, self._flow),
            repeats=self._repeats(told),
        )

    def _repeats(self, told: _Told) -> int:
        """Only the partitioner's are looked into: the program may add what is equal, and mean to. Over one
        axis of a mesh alone there is nothing to add that is equal.
        """
        is_looked_into = told.asked.by == "partitioner" and len(told.axes) > 1
        return self._replication.repeats(told.one) if is_looked_into else 1

    def _tiles(self, path: str) -> Sequence[tuple[int, ...]]:
        axes = self._arguments.get(path)
        return () if axes is None else tiles(axes, self.meshes)

    def _lines(self, one: CollectiveOperation) -> list[str]:
        """The text of its instructions, and of what calls the computations that they are in."""
        places = [(one.block, one.operation), *one.others]
        callers = [place.operation for block, _ in places for place in self._flow.callers(block)]
        return [self._flow.line(at) for at in (*(item for _, item in places), *callers)]

    def _axes(self, one: CollectiveOperation) -> tuple[str, ...]:
        if one.pairs is not None:
            return axes_of_pairs(one.pairs, self.meshes)
        return axes_of_groups(one.groups, self.meshes) if one.groups else ()

    def _resharding(self, told: _Told) -> tuple[str | None, str | None]:
        mesh = next((mesh for mesh in self.meshes if all(name in mesh.names for name in told.axes)), None)
        return resharding(told.one, told.axes, told.value, self._arguments, self._shapes, mesh)


def _enough(text: str) -> Program:
    """A part of the module will do, unless loops have to be understood."""
    program = part(text)
    return hlo.parse(text) if needs_whole(program) else program


def _shares(wire_bytes: int, causes: Sequence[Cause]) -> Iterator[int]:
    """In proportion to the bytes received; all of it together."""
    weights = [cause.bytes for cause in causes]
    if not any(weights):
        weights = [1] * len(causes)
    ends = (wire_bytes * before // sum(weights) for before in accumulate(weights))
    yield from (end - start for start, end in pairwise(chain((0,), ends)))


def _type(one: CollectiveOperation) -> str:
    """`f32[8,8]`, or several: what a device gets."""
    arrays = [f"{array.dtype}[{','.join(map(str, array.dims))}]" for array in one.received]
    if len(set(arrays)) == 1 and len(arrays) > 1:
        return f"{len(arrays)} × {arrays[0]}"
    return ", ".join(arrays)
