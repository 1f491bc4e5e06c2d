"""An `HloModuleProto` → its parameters and results, and its instructions with the primitives they came from.

XLA fuses, folds and copies, but an instruction keeps the name of the JAX primitive that it came from, and a
parameter its own. Fields are those of XLA's "hlo.proto" and "xla_data.proto" (jaxlib 0.8.3 to 0.12.0.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from jitinspect.ir.hlo_proto_values import dimensions, types
from jitinspect.ir.wire_format import fields, packed_numbers

_NAME, _COMPUTATIONS, _ENTRY, _ALIASES, _SHARDINGS, _DONORS = 1, 3, 6, 8, 14, 18
_INSTRUCTIONS, _PROGRAM_SHAPE, _COMPUTATION_ID = 2, 4, 5
_RESULT = 2
_OPCODE, _SHAPE, _METADATA, _LITERAL, _NUMBER, _ID, _OPERANDS, _CALLED, _SHARDING, _PRECISION = (
    2, 3, 7, 8, 9, 35, 36, 38, 40, 51,
)  # fmt: skip
_OP_NAME = 2
_TILES, _LAST_TILE_REPLICATED, _LAST_TILE_KINDS, _NAMED = 3, 6, 8, 14
_MESH, _DIVIDED, _AXES, _AXIS_SIZE = 2, 3, 1, 2
_AXIS_INDEX, _PART_OF_AXIS, _PART_SIZE = 1, 2, 2
_ALIASED_PARAMETER, _DONOR_PARAMETER = 2, 1
_KEPT = {_OPCODE, _METADATA, _LITERAL, _NUMBER, _ID, _OPERANDS, _CALLED, _SHARDING, _PRECISION, _SHAPE}

_STRUCTURE = frozenset((
    "parameter", "constant", "tuple", "get-tuple-element", "fusion", "call", "copy", "copy-start",
    "copy-done", "bitcast", "broadcast", "reshape", "transpose", "convert", "while", "conditional",
    "custom-call", "after-all", "iota", "partition-id", "slice", "dynamic-slice", "concatenate", "pad",
    "all-gather", "all-reduce", "all-to-all", "reduce-scatter", "collective-permute",
))  # fmt: skip
"""Instructions that XLA adds, removes and repeats as it likes, or that compute nothing."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """`name` is its path in Python, `type` the whole array, `sharding` what that is cut into: `4×1 tiles`;
    empty if it is not.
    """

    name: str
    type: str
    sharding: str = ""


@dataclass(frozen=True, slots=True)
class Instruction:
    """`path` is where it comes from, `jit(step)/mul`; `precision` that of its operands, if it multiplies."""

    opcode: str
    path: str
    operands: tuple[int, ...]
    called: tuple[int, ...]
    number: int
    literal: bytes | None
    precision: tuple[int, ...]

    @property
    def primitive(self) -> str:
        """The primitive of JAX that it came from; for the call of a function, `jit(relu)`."""
        return re.split("[/;]", self.path)[-1]


def computes(instruction: Instruction) -> bool:
    """Whether it computes something, for a primitive."""
    return instruction.opcode not in _STRUCTURE and bool(instruction.primitive)


@dataclass(frozen=True, slots=True)
class Module:
    """`donated` are parameters, by index, whose buffers results take, or may take. `computations`, and their
    instructions, are by their numbers.
    """

    name: str
    parameters: tuple[Parameter, ...]
    results: tuple[str, ...]
    donated: frozenset[int]
    computations: Mapping[int, Mapping[int, Instruction]]


def module(message: bytes, is_partitioned: bool = False) -> Module:
    """`is_partitioned` is whether it is what each of several devices runs. Raises `ValueError` for what is no
    module.
    """
    try:
        return _module(message, is_partitioned)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError(f"not a module of XLA's: {error!r}") from None


def _module(message: bytes, is_partitioned: bool) -> Module:
    parts = grouped(message)
    computations: dict[int, dict[int, Instruction]] = {}
    parameters: list[dict[int, Any]] = []
    results: tuple[str, ...] = ()
    for computation in map(grouped, parts[_COMPUTATIONS]):
        instructions = [_fields_of(one) for one in computation[_INSTRUCTIONS]]
        computations[number := computation[_COMPUTATION_ID][0]] = {
            one[_ID]: _instruction(one) for one in instructions
        }
        if number == parts[_ENTRY][0]:
            parameters = [one for one in instructions if one[_OPCODE] == b"parameter"]
            results = tuple(types(grouped(computation[_PROGRAM_SHAPE][0])[_RESULT][0]))
    parameters.sort(key=lambda one: one.get(_NUMBER, 0))
    if is_partitioned:  # then the parameters themselves are parts, and the module says of what
        for one, sharding in zip(parameters, parts.get(_SHARDINGS, ()), strict=False):
            one[_SHARDING] = sharding
    found = tuple(_parameter(one, is_partitioned) for one in parameters)
    return Module(parts[_NAME][0].decode(), found, results, _donated(parts), computations)


def grouped(message: bytes) -> dict[int, list[Any]]:
    """The values of each field."""
    found: dict[int, list[Any]] = {}
    for number, value in fields(message):
        found.setdefault(number, []).append(value)
    return found


def _fields_of(instruction: bytes) -> dict[int, Any]:
    """Those that are needed; of repeated numbers, which are packed, all."""
    return {number: value for number, value in fields(instruction) if number in _KEPT}


def _instruction(parts: Mapping[int, Any]) -> Instruction:
    metadata = dict(fields(parts.get(_METADATA, b"")))
    return Instruction(
        parts[_OPCODE].decode(),
        metadata.get(_OP_NAME, b"").decode(errors="replace"),
        _numbers(parts.get(_OPERANDS)),
        _numbers(parts.get(_CALLED)),
        parts.get(_NUMBER, 0),
        parts.get(_LITERAL),
        tuple(_precisions(parts.get(_PRECISION, b""))),
    )


def _numbers(value: int | bytes | None) -> tuple[int, ...]:
    if value is None:
        return ()
    return tuple(packed_numbers(value)) if isinstance(value, bytes) else (value,)


def _precisions(message: bytes) -> Iterable[int]:
    """Of each operand; then, if an algorithm is set, its number, negative."""
    for number, value in fields(message):
        yield from _numbers(value) if number == 1 else (-value,) if isinstance(value, int) and value else ()


def _parameter(parts: Mapping[int, Any], is_partitioned: bool) -> Parameter:
    metadata = dict(fields(parts.get(_METADATA, b"")))
    name = metadata.get(_OP_NAME, b"").decode(errors="replace")
    tiles = _tiles(parts.get(_SHARDING, b""))
    kind = next(types(parts[_SHAPE]), "")
    if is_partitioned and prod(tiles) > 1:
        sizes = dimensions(parts[_SHAPE])
        whole = (size * tile for size, tile in zip(sizes, tiles + (1,) * len(sizes), strict=False))
        kind = f"{kind.partition('[')[0]}[{','.join(map(str, whole))}]"
    return Parameter(name, kind, f"{'×'.join(map(str, tiles))} tiles" if prod(tiles) > 1 else "")


def _tiles(sharding: bytes) -> tuple[int, ...]:
    """How many there are along each dimension. Those that hold the same come last, and are left out."""
    parts = grouped(sharding)
    if _NAMED in parts:
        return tuple(_named_tiles(grouped(parts[_NAMED][0])))
    tiles = tuple(number for value in parts.get(_TILES, ()) for number in _numbers(value))
    kinds = sum(len(_numbers(value)) for value in parts.get(_LAST_TILE_KINDS, ()))
    left_out = kinds or int(bool(parts.get(_LAST_TILE_REPLICATED)))
    return tiles[: len(tiles) - left_out]


def _named_tiles(sharding: Mapping[int, list[Any]]) -> Iterator[int]:
    """Along the axes of a mesh, as from jaxlib 0.12 on. A dimension can be divided by a part of an axis."""
    mesh = grouped(sharding[_MESH][0]) if _MESH in sharding else {}
    sizes = [grouped(axis)[_AXIS_SIZE][0] for axis in mesh.get(_AXES, ())]
    for dimension in sharding.get(_DIVIDED, ()):
        axes = map(grouped, grouped(dimension).get(_AXES, ()))
        yield prod(
            grouped(axis[_PART_OF_AXIS][0])[_PART_SIZE][0]
            if _PART_OF_AXIS in axis
            else sizes[axis.get(_AXIS_INDEX, [0])[0]]
            for axis in axes
        )


def _donated(parts: Mapping[int, list[Any]]) -> frozenset[int]:
    aliased = [grouped(entry) for one in parts.get(_ALIASES, ()) for entry in grouped(one).get(1, ())]
    donors = [grouped(entry) for one in parts.get(_DONORS, ()) for entry in grouped(one).get(1, ())]
    return frozenset(
        [one.get(_ALIASED_PARAMETER, [0])[0] for one in aliased]
        + [one.get(_DONOR_PARAMETER, [0])[0] for one in donors]
    )
