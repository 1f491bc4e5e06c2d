"""Argument specs → what a jitted function is traced with: shapes, keys, shardings, Python values.

Arrays are `jax.ShapeDtypeStruct`s: nothing is allocated and nothing is executed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import jax
import numpy as np

from jitinspect import specs
from jitinspect.errors import UnavailableError, UsageError
from jitinspect.jaxapi.devices import require_backend
from jitinspect.specs import Argument, Spec

Call = tuple[tuple[Any, ...], dict[str, Any]]


def build_call(arguments: Iterable[Argument], mesh: jax.sharding.Mesh | None) -> Call:
    """The positional and keyword arguments that `arguments` stand for.

    Raises `UsageError` for a keyword that is given twice, and what `build` raises.
    """
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for argument in arguments:
        if argument.name is None:
            args.append(build(argument.spec, mesh))
        elif argument.name in kwargs:
            raise UsageError(f"argument {argument.name!r} is given twice")
        else:
            kwargs[argument.name] = build(argument.spec, mesh)
    return tuple(args), kwargs


def build(spec: Spec, mesh: jax.sharding.Mesh | None = None) -> Any:
    """One argument: a `ShapeDtypeStruct`, a pytree of them, or a Python value.

    Raises `UsageError` if a dimension has no size or a sharding no mesh, and
    `UnavailableError` for a device that this machine does not have.
    """
    match spec:
        case specs.ValueSpec(value):
            return value
        case specs.DictSpec(items):
            return {key: build(item, mesh) for key, item in items}
        case specs.ListSpec(items):
            return [build(item, mesh) for item in items]
        case specs.TupleSpec(items):
            return tuple(build(item, mesh) for item in items)
        case specs.KeySpec(impl, _, placement):
            return _struct(spec, _key_dtype(impl), _sharding(placement, mesh), weak=False)
        case specs.ArraySpec(dtype, _, weak, placement):
            return _struct(spec, specs.long_dtype(dtype), _sharding(placement, mesh), weak)
    raise TypeError(f"not an argument spec: {spec!r}")


def _struct(spec: specs.ArraySpec | specs.KeySpec, dtype: Any, sharding: Any, weak: bool) -> Any:
    unbound = specs.free_dims(spec)
    if unbound:
        raise missing_dims(unbound)
    if isinstance(sharding, jax.sharding.NamedSharding):
        _check_split(spec, sharding)
    return jax.ShapeDtypeStruct(spec.shape, dtype, sharding=sharding, weak_type=weak)


def _check_split(spec: specs.ArraySpec | specs.KeySpec, sharding: jax.sharding.NamedSharding) -> None:
    """JAX makes no arrays that a mesh does not split evenly."""
    for size, entry in zip(spec.shape, sharding.spec, strict=False):
        names = (entry,) if isinstance(entry, str) else entry or ()
        parts = math.prod(sharding.mesh.shape[name] for name in names)
        if int(size) % parts:
            hint = f"a multiple of {parts}: {-(-int(size) // parts) * parts}"
            raise UsageError(
                f"{spec}: a dimension of {size} is not split evenly by {', '.join(names)}={parts}", hint=hint
            )


def missing_dims(names: Sequence[str]) -> UsageError:
    """The error for named dimensions that no `--dim` gives a size."""
    options = " ".join(f"--dim {name}=8" for name in names)
    return UsageError(f"no size for dimension {', '.join(names)}", hint=f"add {options}")


def _key_dtype(impl: str | None) -> Any:
    """The extended dtype of a typed PRNG key; that of the default implementation if `impl` is None."""
    try:
        return jax.eval_shape(lambda: jax.random.key(0, impl=impl)).dtype
    except ValueError as error:
        raise UsageError(f"no PRNG implementation {impl!r}: {error}", hint="key<threefry2x32>[]") from None


def _sharding(placement: specs.Device | specs.Sharding | None, mesh: jax.sharding.Mesh | None) -> Any:
    if placement is None:
        return None
    if isinstance(placement, specs.Device):
        return jax.sharding.SingleDeviceSharding(_device(placement))
    if mesh is None:
        raise UsageError("a sharding @P(…) needs a mesh", hint="add --mesh data=8")
    return _named_sharding(placement, mesh)


def _named_sharding(placement: specs.Sharding, mesh: jax.sharding.Mesh) -> jax.sharding.NamedSharding:
    try:
        return jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(*placement.partitions))
    except ValueError as error:
        raise UsageError(str(error), hint=f"the mesh has the axes {', '.join(mesh.axis_names)}") from None


def _device(placement: specs.Device) -> jax.Device:
    here = _devices(placement.platform)
    if placement.index >= len(here):
        raise UnavailableError(
            f"no device {placement.platform}:{placement.index}: this machine has "
            f"{len(here)} of platform {placement.platform!r}"
        )
    return here[placement.index]


def _devices(platform: str) -> list[jax.Device]:
    try:
        return jax.devices(platform)
    except RuntimeError:
        raise UnavailableError(f"no device of platform {platform!r} on this machine") from None


def make_mesh(axes: Sequence[tuple[str, int]]) -> jax.sharding.Mesh | None:
    """A mesh over the first devices; None if no axes are given.

    Raises `UnavailableError` if the mesh needs more devices than there are.
    """
    if not axes:
        return None
    names, sizes = zip(*axes, strict=True)
    needed, here = int(np.prod(sizes)), require_backend()
    if needed > len(here):
        raise UnavailableError(f"the mesh needs {needed} devices, this machine has {len(here)}")
    return jax.sharding.Mesh(np.array(here[:needed]).reshape(sizes), names)


def devices_needed(axes: Sequence[tuple[str, int]], arguments: Iterable[Argument]) -> int:
    """How many CPU devices the mesh and the `@cpu:N` placements ask for (at least 1)."""
    indices = [device.index for device in _placements(arguments) if device.platform == "cpu"]
    mesh_size = int(np.prod([size for _, size in axes])) if axes else 1
    return max([mesh_size, *(index + 1 for index in indices)])


def _placements(arguments: Iterable[Argument]) -> list[specs.Device]:
    leaves = [leaf for argument in arguments for leaf in specs.leaves(argument.spec)]
    found = [getattr(leaf, "placement", None) for leaf in leaves]
    return [placement for placement in found if isinstance(placement, specs.Device)]
