"""The arguments of a call, placed on devices that are not here."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import jax
import numpy as np

from jitinspect.errors import UsageError
from jitinspect.jaxapi.executables.meshes import held_meshes
from jitinspect.targets.arguments.build import Call


def absent_mesh(
    axes: Sequence[tuple[str, int]], devices: Sequence[jax.Device], name: str
) -> jax.sharding.Mesh | None:
    """A mesh over all of the `devices`, those of the target `name`. None if no axes are given, and no size of
    a slice: then a program runs on one device, also where a chip has two.

    Where the axes do not follow the physical ones of a slice, these are split. Raises `UsageError` if the
    mesh has another number of devices.
    """
    if not axes and ":" not in name:
        return None
    size = math.prod(size for _, size in axes)
    if size != len(devices):
        hint = f"--mesh data={len(devices)}" if len(devices) > 1 else "leave --mesh out, or name a slice"
        asked = ",".join(f"{axis}={size}" for axis, size in axes)
        found = f"--mesh {asked} has {size}" if axes else "there is no --mesh"
        raise UsageError(f"{name} has {len(devices)} device{'s' * (len(devices) > 1)}, {found}", hint=hint)
    if not axes:
        return None
    return jax.sharding.Mesh(_grid([size for _, size in axes], devices), [axis for axis, _ in axes])


def _grid(sizes: Sequence[int], devices: Sequence[jax.Device]) -> Any:
    from jax.experimental import mesh_utils

    try:
        return mesh_utils.create_device_mesh(sizes, list(devices))
    except NotImplementedError:
        return mesh_utils.create_device_mesh(sizes, list(devices), allow_split_physical_axes=True)


def placed(call: Call, devices: Sequence[jax.Device], mesh: jax.sharding.Mesh | None) -> Call:
    """The types of the arrays of `call`, on the device, or on the mesh: as they are sharded, else replicated.
    The axes of the mesh are explicit where those of the arrays are.

    Raises `UsageError` for an array that is sharded over another mesh, if there is none here.
    """
    default: Any = (
        jax.sharding.SingleDeviceSharding(devices[0])
        if mesh is None
        else jax.sharding.NamedSharding(_typed_as(mesh, call), jax.sharding.PartitionSpec())
    )
    args, kwargs = jax.tree.map(lambda leaf: _placed(leaf, default), call)
    return args, kwargs


def traced_in(call: Call, trace: Callable[[], Any]) -> Any:
    """What `trace` returns, called where the explicit mesh of the call's arrays is the current one: as it is
    in a program that called `jax.set_mesh`.
    """
    meshes = (mesh for mesh in held_meshes(jax.tree.leaves(call)) if isinstance(mesh, jax.sharding.Mesh))
    explicit = next((mesh for mesh in meshes if mesh.are_all_axes_explicit), None)
    with jax.set_mesh(explicit) if explicit is not None else nullcontext():
        return trace()


def _typed_as(mesh: jax.sharding.Mesh, call: Call) -> jax.sharding.Mesh:
    """The mesh with the types of the axes of that of the call's arrays."""
    given = held_meshes(jax.tree.leaves(call))
    own = next((one for one in given if one.axis_names == mesh.axis_names), None)
    if own is None:
        return mesh
    return jax.sharding.Mesh(mesh.devices, mesh.axis_names, axis_types=own.axis_types)


def _placed(leaf: Any, default: Any) -> Any:
    if not isinstance(leaf, jax.ShapeDtypeStruct | jax.Array | np.ndarray | np.generic):
        return leaf
    weak = bool(getattr(leaf, "weak_type", False))
    sharding = _moved(getattr(leaf, "sharding", None), default)
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding, weak_type=weak)


def _moved(sharding: Any, default: Any) -> Any:
    """The same partition, over the mesh of `default`."""
    if not isinstance(sharding, jax.sharding.NamedSharding):
        return default
    if not isinstance(default, jax.sharding.NamedSharding):
        axes = ",".join(f"{axis}={size}" for axis, size in sharding.mesh.shape.items())
        raise UsageError(
            "an argument is sharded over a mesh, the target is one device", hint=f"--mesh {axes}"
        )
    try:
        return jax.sharding.NamedSharding(default.mesh, sharding.spec)
    except ValueError as error:
        axes = ", ".join(map(str, default.mesh.axis_names))
        raise UsageError(str(error), hint=f"the mesh has the axes {axes}") from None
