"""`sharding`: how each argument, result and value of a line lies on the program's meshes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import prod
from typing import Any

from jitinspect.ir.hlo_sharding import Layout, layout, spec_text
from jitinspect.jaxapi.executables import aliasing, dumps
from jitinspect.jaxapi.executables.shardings import Placed, placed
from jitinspect.jaxapi.jits.leaf_names import names_in, names_out
from jitinspect.model import Target
from jitinspect.model.communication import ArraySharding, MeshShape, ShardingReport
from jitinspect.readings.better_sharding import better, free_axes
from jitinspect.readings.communication.subjects import meshes_of
from jitinspect.readings.sharded_module import ShardedModule
from jitinspect.specs.describe import describe
from jitinspect.stages.inspection import Subject

_UNUSED = "unused"
_ONE_DEVICE = "one device"
BytesOf = Callable[[tuple[int, ...]], int]


def read(target: Target, subjects: Iterator[Subject], lines: bool = False) -> ShardingReport:
    """Compiles each subject once; with `lines` also reads what XLA decided for each line's values.

    Raises the errors of compilation, and `UnavailableError` if XLA does not dump what it decided, where that
    is needed: for the values, and for a device whose compiler is stopped before its end.
    """
    report = ShardingReport("sharding", target, ())
    for subject in subjects:
        report = _with(report, subject, lines)
    return report


def _with(report: ShardingReport, subject: Subject, lines: bool) -> ShardingReport:
    """`report` with the arrays of one more call."""
    rows = _Rows([*report.meshes, *meshes_of(subject)], subject.signature)
    if not subject.pipeline.has_lowered:
        return _extended(report, rows, subject, [*_of_file(rows, subject)])
    stopped = any(not device.full for device in report.target.devices)
    module = None
    if lines or stopped:
        compiled, text = dumps.sharded(subject.pipeline.lowered)
        module = ShardedModule(text, report.target.file) if text else None
    else:
        compiled = subject.pipeline.compiled
    found = [*_arguments(rows, subject, compiled, module), *_results(rows, subject, compiled, module)]
    if lines and module:
        found += _values(rows, module)
    return _extended(report, rows, subject, found)


def _extended(
    report: ShardingReport, rows: _Rows, subject: Subject, found: Sequence[ArraySharding]
) -> ShardingReport:
    return replace(
        report,
        target=replace(report.target, signature=report.target.signature or subject.signature),
        sharding=(*report.sharding, *found),
        meshes=tuple(rows.meshes),
    )


def _of_file(rows: _Rows, subject: Subject) -> Iterator[ArraySharding]:
    """What the text of a module says that was compiled earlier."""
    traced, compiled = subject.pipeline.traced, subject.pipeline.compiled
    names = names_in(subject.jitted.call, subject.call, traced), names_out(subject.jitted.call, traced)
    avals = traced.jaxpr.in_avals, traced.jaxpr.out_avals
    for kind, *columns in zip(("argument", "result"), names, avals, compiled.placements, strict=True):
        for path, aval, where in zip(*columns, strict=True):
            yield rows.array(path, kind, aval, where)


def _arguments(
    rows: _Rows, subject: Subject, compiled: Any, module: ShardedModule | None
) -> Iterator[ArraySharding]:
    """As XLA takes them, or if one is not used, as it was given."""
    traced, lowered = subject.pipeline.traced, subject.pipeline.lowered
    names = names_in(subject.jitted.call, subject.call, traced)
    given = aliasing.asked(traced)
    decided = module.parameters(aliasing.leaves_of_parameters(lowered)) if module else {}
    for leaf, buffer in enumerate(aliasing.arguments(traced, compiled)):
        rank = len(buffer.aval.shape)
        known = placed(buffer.sharding, rank) or placed(given[leaf], rank)
        yield rows.array(names[leaf], "argument", buffer.aval, known or _decided(module, decided.get(leaf)))


def _results(
    rows: _Rows, subject: Subject, compiled: Any, module: ShardedModule | None
) -> Iterator[ArraySharding]:
    traced, lowered = subject.pipeline.traced, subject.pipeline.lowered
    names = names_out(subject.jitted.call, traced)
    decided = module.results()[aliasing.tokens_returned(lowered) :] if module else ()
    for at, buffer in enumerate(aliasing.results(traced, compiled)):
        known = placed(buffer.sharding, len(buffer.aval.shape))
        text = decided[at] if at < len(decided) else None
        yield rows.array(names[at], "result", buffer.aval, known or _decided(module, text))


def _decided(module: ShardedModule | None, text: str | None) -> Placed | None:
    return Placed(module.devices, text=text) if module and text else None


def _values(rows: _Rows, module: ShardedModule) -> Iterator[ArraySharding]:
    for value in module.values():
        made = rows.row(
            value.primitive,
            "value",
            value.type.dtype,
            value.type.dims,
            Placed(module.devices, text=value.sharding),
            lambda shape, value=value: value.type._replace(dims=shape).bytes,  # type: ignore[misc]
        )
        yield replace(made, line=value.line, count=value.alike)


class _Rows:
    """Makes the rows of one call. `meshes` grows by those that only a result has."""

    def __init__(self, known: Sequence[MeshShape], signature: str) -> None:
        self.meshes = list(dict.fromkeys(known))
        self._signature = signature

    def array(self, path: str, kind: Any, aval: Any, where: Placed | None) -> ArraySharding:
        """The row of an argument or a result."""
        dtype, itemsize = describe(aval).partition("[")[0], int(aval.dtype.itemsize)
        return self.row(path, kind, dtype, tuple(aval.shape), where, lambda shape: prod(shape) * itemsize)

    def row(
        self,
        path: str,
        kind: Any,
        dtype: str,
        shape: tuple[int, ...],
        where: Placed | None,
        bytes_of: BytesOf,
    ) -> ArraySharding:
        mesh, found = self._layout(where, len(shape)) if where else (None, None)
        row = ArraySharding(
            path, kind, dtype, shape, None, shape, bytes_of(shape), False, signature=self._signature
        )
        if mesh is None or found is None:
            return replace(row, form=_form(where))
        return _on_mesh(row, found, self.meshes[mesh], mesh, bytes_of)

    def _layout(self, where: Placed, rank: int) -> tuple[int | None, Layout | None]:
        """The index of the mesh and how the array lies on it. Of several meshes, one along whose whole axes
        it lies.
        """
        if where.mesh and where.layout:
            return self._index(where.mesh), where.layout
        if where.devices == 1:
            return None, None
        over = [
            (at, found)
            for at, mesh in enumerate(self.meshes)
            if prod(mesh.sizes) == where.devices and (found := layout(where.text, mesh, rank))
        ]
        return min(over, key=lambda one: ":(" in str(one[1].axes), default=(None, None))

    def _index(self, mesh: MeshShape) -> int:
        for at, known in enumerate(self.meshes):
            if (known.names, known.sizes) == (mesh.names, mesh.sizes):
                return at
        self.meshes.append(mesh)
        return len(self.meshes) - 1


def _form(where: Placed | None) -> str:
    if where is None:
        return _UNUSED
    return _ONE_DEVICE if where.devices == 1 else where.text.strip("{}")


def _on_mesh(row: ArraySharding, found: Layout, mesh: MeshShape, at: int, bytes_of: BytesOf) -> ArraySharding:
    parts = [prod(mesh.size_and_stride(name)[0] for name in names) for names in found.axes]
    shape = tuple(-(-size // part) for size, part in zip(row.global_shape, parts, strict=True))
    all_manual = bool(found.manual) and len(found.manual) == sum(size > 1 for size in mesh.sizes)
    taken = (*found.manual, *found.unreduced)
    free = free_axes(found.axes, taken, mesh)
    could = better(found.axes, shape, free, mesh) if not found.manual else None
    held = bytes_of(shape)
    could_save = held - held // could.parts if could else 0
    return replace(
        row,
        spec=None if all_manual else spec_text(found.axes, found.unreduced),
        device_shape=shape,
        device_bytes=held,
        replicated=prod(mesh.sizes) > 1 and not any(found.axes) and not taken,
        free_axes=free,
        could_save=could_save,
        better=spec_text(could.axes, found.unreduced) if could and could_save else None,
        mesh=at,
        axes=found.axes,
        manual=found.manual,
        unreduced=found.unreduced,
        form="manual" if all_manual else None,
    )
