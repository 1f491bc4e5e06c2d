"""A sharding of JAX's → the axes of its mesh, or the text that XLA has for it.

`NamedSharding.spec` and `.mesh` are public; a spec with unreduced axes cannot be iterated over, so that its
`partitions` are read. Every sharding has `_to_xla_hlo_sharding(rank)`, which prints as in HLO. Seen on jax
0.8.3 to 0.12.0.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax

from jitinspect.ir.hlo_sharding import Axes, Layout
from jitinspect.jaxapi.executables.meshes import shape_of
from jitinspect.model.communication import MeshShape
from jitinspect.specs.describe import spec_entries


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an array lies: by `layout` on `mesh`, or over its `devices` by the `text` of an HLO sharding."""

    devices: int
    mesh: MeshShape | None = None
    layout: Layout | None = None
    text: str = ""


def placed(sharding: Any, rank: int) -> Placed | None:
    """None for what is no sharding, such as JAX's word for one that is not specified."""
    if not isinstance(sharding, jax.sharding.Sharding):
        return None
    if isinstance(sharding, jax.sharding.NamedSharding):
        axes = spec_axes(sharding) + ((),) * rank
        unreduced = tuple(sorted(map(str, getattr(sharding.spec, "unreduced", ()))))
        manual = tuple(sorted(map(str, getattr(sharding, "_manual_axes", ()))))
        layout = Layout(axes[:rank], manual, unreduced)
        return Placed(sharding.mesh.size, shape_of(sharding.mesh), layout)
    return Placed(len(sharding.device_set), text=str(sharding._to_xla_hlo_sharding(rank)))


def argument_axes(compiled: jax.stages.Compiled) -> tuple[Axes | None, ...]:
    """Those of each array of the call, in order; None if it does not lie on a mesh with named axes, or if
    each device has but a term of it.
    """
    return tuple(map(_whole_axes, jax.tree.leaves(compiled.input_shardings)))


def _whole_axes(sharding: Any) -> Axes | None:
    if not isinstance(sharding, jax.sharding.NamedSharding):
        return None
    return None if getattr(sharding.spec, "unreduced", None) else spec_axes(sharding)


def spec_axes(sharding: jax.sharding.NamedSharding) -> Axes:
    """Those of each dimension that its `PartitionSpec` has an entry for; trailing ones may be left out."""
    return tuple(map(_axes, spec_entries(sharding.spec)))


def _axes(entry: Any) -> tuple[str, ...]:
    """Of an entry of a spec; none for one that is unconstrained."""
    if entry is None or entry is jax.sharding.PartitionSpec.UNCONSTRAINED:
        return ()
    return tuple(map(str, entry)) if isinstance(entry, tuple) else (str(entry),)
