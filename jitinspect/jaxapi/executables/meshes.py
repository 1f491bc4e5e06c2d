"""The meshes that a program uses: of its arguments' shardings, and of the equations inside.

JAX refuses one jit over meshes that list their devices in different orders ("Received incompatible devices"),
so partition `i` of the compiled program is device `devices[i]` of each of them. In a jaxpr, the parameters of
equations hold meshes and shardings: `sharding` of `sharding_constraint`, `mesh` of `shard_map`,
`in_shardings`, `out_shardings` and `ctx_mesh` of `jit`, `dst_sharding` of `reshard`, `out_sharding` of
`dot_general`. What is made without one has its mesh from operands. Seen on jax 0.8.3 to 0.12.0.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain
from math import prod
from typing import Any

import jax

from jitinspect.model.communication import MeshShape

Call = tuple[tuple[Any, ...], Mapping[str, Any]]
_MESHES = (jax.sharding.Mesh, jax.sharding.AbstractMesh)
_PLAIN = (str, int, float, bool, tuple, list)
"""The types of most parameters, which hold no mesh, and of what is in those that are sequences."""


def meshes(traced: jax.stages.Traced, call: Call) -> tuple[MeshShape, ...]:
    """Each mesh once, those of the arguments first. Two that differ in the types of their axes are one.

    An abstract mesh has the devices of another mesh of its size; none if there is no other.
    """
    found = held_meshes(jax.tree.leaves(call)) | _Walk(traced).found
    return _distinct([shape_of(mesh) for mesh in found if mesh.axis_names])  # without axes it stands for none


def held_meshes(leaves: Iterable[Any]) -> dict[Any, None]:
    """The meshes of arrays and types, each once, in their order."""
    held = (getattr(getattr(leaf, "sharding", None), "mesh", None) for leaf in leaves)
    return {mesh: None for mesh in held if isinstance(mesh, _MESHES)}


class _Walk:
    """Goes through each jaxpr of a program once, also if many equations share it."""

    def __init__(self, traced: jax.stages.Traced) -> None:
        """`_meta_tys_flat` has the arguments' types, also of what is no pytree, and `_params` are those of
        the jit itself.
        """
        self.found: dict[Any, None] = held_meshes(getattr(traced, "_meta_tys_flat", ()))
        self._seen: set[int] = set()
        self._params(getattr(traced, "_params", {}).values())
        self._value(traced.jaxpr)

    def _params(self, values: Iterable[Any]) -> None:
        for value in values:
            if value is None:
                continue
            if type(value) not in _PLAIN:
                self._value(value)
            elif isinstance(value, tuple | list) and value and type(value[0]) not in _PLAIN:
                self._params(value)

    def _value(self, value: Any) -> None:
        if isinstance(value, _MESHES):
            self.found.setdefault(value)
        elif isinstance(value, jax.sharding.NamedSharding):
            self.found.setdefault(value.mesh)
        elif hasattr(jaxpr := getattr(value, "jaxpr", value), "eqns") and id(jaxpr) not in self._seen:
            self._seen.add(id(jaxpr))
            self.found |= held_meshes(getattr(value, "consts", ()))
            self._jaxpr(jaxpr)

    def _jaxpr(self, jaxpr: Any) -> None:
        self.found |= held_meshes(variable.aval for variable in chain(jaxpr.invars, jaxpr.outvars))
        for equation in jaxpr.eqns:
            self._params(equation.params.values())


@lru_cache(maxsize=64)
def shape_of(mesh: Any) -> MeshShape:
    """An abstract mesh has no devices."""
    names = tuple(map(str, mesh.axis_names))
    devices = mesh.devices.flat if isinstance(mesh, jax.sharding.Mesh) else ()
    return MeshShape(names, tuple(mesh.axis_sizes), tuple(int(device.id) for device in devices))


def _distinct(found: Sequence[MeshShape]) -> tuple[MeshShape, ...]:
    listed = {len(mesh.devices): mesh.devices for mesh in reversed(found)}
    whole = (replace(mesh, devices=mesh.devices or listed.get(prod(mesh.sizes), ())) for mesh in found)
    return tuple(dict.fromkeys(whole))
