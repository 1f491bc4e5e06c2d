"""What a file holds that is already compiled → its module, as stages and readings take one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path

from jitinspect.errors import LoadError
from jitinspect.files.cache.executables import SECONDS
from jitinspect.files.contents import contents, text
from jitinspect.files.kinds import Kind
from jitinspect.files.serialized import Serialized, executable_in, module_in
from jitinspect.ir import hlo_entry
from jitinspect.ir.backend_configs import with_sorted_keys
from jitinspect.ir.hlo_entry import EntryArray
from jitinspect.ir.hlo_sharding import Axes, layout
from jitinspect.ir.program import Frame
from jitinspect.jaxapi.executables.given_executables import GivenExecutable, ProgramArray, module_of
from jitinspect.jaxapi.executables.shardings import Placed
from jitinspect.model.communication import MeshShape
from jitinspect.specs.dtypes import LONG

_NOT_TOLD = "{not told}"
"""In place of the sharding of an array on several devices: XLA leaves out those of results."""
_HAS_LINES = "stack_frame_id="
_DTYPES = {name.replace("_", ""): long for name, long in LONG.items()} | {"pred": "bool"}
"""HLO writes `f8e4m3fn`, and `s32` for JAX's `i32`."""


@dataclass(frozen=True, slots=True)
class CompiledModule:
    """What is known of a compiled program. `taken` and `given` are its arguments and results, undivided as
    far as their shardings are known; `origin` is the first line of the function that it was made from.
    """

    name: str
    taken: tuple[ProgramArray, ...]
    given: tuple[ProgramArray, ...]
    executable: GivenExecutable
    origin: Frame | None = None

    @property
    def has_lines(self) -> bool:
        """Whether it tells which lines of Python it came from."""
        return _HAS_LINES in self.executable.text


def compiled_module(path: Path, kind: Kind, mesh: Mapping[str, int]) -> CompiledModule:
    """Where a text does not name the axes of its mesh, `mesh` has the user's, with their sizes.

    Raises `LoadError` for what is cut off or damaged, `UnavailableError` if there is no module in it.
    """
    if kind is Kind.HLO:
        return module_of_text(text(path), str(path), mesh)
    found = _SERIALIZED[kind](contents(path), str(path))
    return _of_proto(found, str(path), mesh)


def module_of_proto(content: bytes, what: str, mesh: Mapping[str, int]) -> CompiledModule:
    """`what` it is, for messages."""
    return _of_proto(_proto(content, what), what, mesh)


def module_of_text(content: str, what: str, mesh: Mapping[str, int]) -> CompiledModule:
    """`what` it is, for messages."""
    try:
        entry = hlo_entry.entry(content)
        axes = _mesh(content, entry.devices, mesh)
        shape = MeshShape(tuple(axes), tuple(axes.values()))
        taken = [_array(one, shape) for one in entry.parameters]
        executable = GivenExecutable(
            content,
            meshes=(shape,) if axes else (),
            axes=tuple(axes for _, axes in taken),
            placements=(_placed(entry.parameters, entry.devices), _placed(entry.results, entry.devices)),
        )
        arguments = tuple(array for array, _ in taken)
        given = tuple(_array(one, shape)[0] for one in entry.results)
        return CompiledModule(
            entry.module, arguments, given, executable, hlo_entry.origin(content, entry.module)
        )
    except (ValueError, IndexError, KeyError) as error:
        raise LoadError(f"{what} is not a whole HLO module: {error}") from None


def _of_proto(found: Serialized, what: str, mesh: Mapping[str, int]) -> CompiledModule:
    try:
        printed: str = module_of(found.module).to_string()
        head, line, rest = with_sorted_keys(printed).partition("\n")
        head = _with_configuration(head, found.head())
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        raise LoadError(f"{what} is no HLO module that XLA reads: {error}") from None
    made = module_of_text(head + line + rest, what, mesh)
    known = replace(made.executable, proto=found.module, assignment=found.assignment)
    return replace(made, executable=known)


def _with_configuration(head: str, words: str) -> str:
    """A proto has no part of the configuration but the layouts, after which XLA prints the rest of it."""
    start = head.find("entry_computation_layout={")
    depth = 0
    for at in range(max(start, 0), len(head)):
        depth += (head[at] == "{") - (head[at] == "}")
        if head[at] == "}" and depth == 0 and start >= 0:
            return head[: at + 1] + words + head[at + 1 :]
    return head + words


def _mesh(content: str, devices: int, given: Mapping[str, int]) -> Mapping[str, int]:
    """The user's, or else the one that the text names, if it is over all devices."""
    if prod(given.values()) == devices and given:
        return given
    found = (mesh for mesh in hlo_entry.meshes(content) if prod(mesh.values()) == devices > 1)
    return next(found, {})


def _array(one: EntryArray, mesh: MeshShape) -> tuple[ProgramArray, Axes | None]:
    """The array, undivided, and the axes that it is divided over, if they are known."""
    known = _DTYPES.get(one.dtype) or _DTYPES.get(one.dtype.replace("s", "i", 1))
    if known is None:
        raise ValueError(f"it has an array of {one.dtype}, which is no dtype of JAX")
    found = layout(one.sharding, mesh, len(one.dims)) if mesh.names and one.sharding else None
    if found is None or found.manual:
        return ProgramArray(one.dims, known, one.name), None
    parts = (prod(mesh.size_and_stride(name)[0] for name in names) for names in found.axes)
    dims = tuple(size * part for size, part in zip(one.dims, parts, strict=True))
    return ProgramArray(dims, known, one.name), found.axes


def _placed(arrays: Iterable[EntryArray], devices: int) -> tuple[Placed, ...]:
    return tuple(Placed(devices, text=one.sharding or _NOT_TOLD) for one in arrays)


def _entry(content: bytes, what: str) -> Serialized:
    return executable_in(content[SECONDS:], what)


def _proto(content: bytes, what: str) -> Serialized:
    try:
        found = module_in(content)
    except (ValueError, IndexError) as error:
        raise LoadError(f"{what} is cut off or damaged: {error}") from None
    return found


_SERIALIZED: dict[Kind, Callable[[bytes, str], Serialized]] = {
    Kind.PROTO: _proto,
    Kind.EXECUTABLE: executable_in,
    Kind.CACHE_ENTRY: _entry,
}
