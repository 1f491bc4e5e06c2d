"""An array that a mesh does not split evenly, by what JAX says of it: which, along which axes, and what fits.

JAX says so in one of several texts (0.8.3 to 0.12.0.1), most of them long. Those for `in_shardings` and
`out_shardings` name the argument or result on 0.8.3 and from 0.11.2 on; of a `shard_map`, the first counts.
"""

from __future__ import annotations

import ast
import re
from typing import NamedTuple

_SPLITS = tuple(
    re.compile(text)
    for text in (
        r"array axis (?P<axis>\d+) is partitioned (?P<parts>\d+) times, but .*?size (is )?(?P<size>\d+)",
        r"its dimension (?P<axis>\d+) should be divisible by (?P<parts>\d+), but .*?to (?P<size>\d+)",
        r"array axis (?P<axis>\d+) \(of size (?P<size>\d+)\) to mesh .*?size (?P<parts>\d+)\), but",
    )
)
_SPEC = re.compile(r"\bP(?:artitionSpec)?(\((?:[^()]|\([^()]*\))*\))")
_SHAPE = re.compile(r"(?:full shape: |Got shape: )\((.*?)\)|passed \S+ of shape \w+\[(.*?)\]")
_NAMED = (
    (re.compile(r"pjit arguments with pytree key path (.+?) was given"), "argument "),
    (re.compile(r"pjit outputs with pytree key path (.+?) was given"), ""),
    (re.compile(r"is bound to .*?'s parameter '(\w+)'"), "shard_map's argument "),
)
_NO_MESH_FITS = re.compile(
    r"shape=\[(?P<parts>[\d, ]+)\] is incompatible with mesh_shape=.*?(?P<mesh>[{\[].*[}\]])\)"
)
_AXIS = re.compile(r"'(\w+)'(?:: |, )(\d+)")


class Told(NamedTuple):
    """What is wrong, and what to do instead."""

    message: str
    hint: str


def uneven(text: str) -> Told | None:
    """By the text of JAX's error; None if it is about something else."""
    if found := next((found for split in _SPLITS if (found := split.search(text))), None):
        axis, parts, size = (int(found[name]) for name in ("axis", "parts", "size"))
        by = f"{_axes(text, axis)}={parts}"
        message = f"{_array(text)}: dimension {axis}, of size {size}, is not split evenly by {by}"
        return Told(message, f"a multiple of {parts}: {-(-size // parts) * parts}")
    if found := _NO_MESH_FITS.search(text):
        return _over_two_meshes(found["parts"], _AXIS.findall(found["mesh"]))
    return None


def _over_two_meshes(parts: str, axes: list[tuple[str, str]]) -> Told:
    """JAX writes what XLA chose with the axes of the first mesh, also where those of another are meant."""
    mesh = ",".join(f"{axis}={size}" for axis, size in axes)
    chosen = parts.replace(", ", " × ")
    return Told(
        f"the sharding chosen for a result, over {chosen} devices, cannot be written on the mesh {mesh}",
        "say how the results lie, by out_shardings= of the jit; or put all arguments on one mesh",
    )


def _array(text: str) -> str:
    """`argument x of shape (63,8)`."""
    shape = _SHAPE.search(text)
    named = (f"{kind}{found[1]}" for pattern, kind in _NAMED if (found := pattern.search(text)))
    dims = (shape[1] or shape[2] or "").replace(" ", "") if shape else ""
    return f"{next(named, 'an array')} of shape ({dims})"


def _axes(text: str, axis: int) -> str:
    """The axes of the mesh that split a dimension, by the first `P(…)`."""
    spec = _SPEC.search(text)
    try:
        entry = ast.literal_eval(f"[{spec[1][1:-1]}]")[axis] if spec else None
    except (SyntaxError, ValueError, IndexError):  # what is no name: UNCONSTRAINED, unreduced={…}
        entry = None
    return ",".join(entry) if isinstance(entry, tuple) else entry or "the mesh"
