"""The leaves of a traced call as JAX's in-memory caches see them: type, weak type and placement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax

from jitinspect.specs.describe import spec_entries


@dataclass(frozen=True, slots=True)
class Leaf:
    """One array of a call: its path by parameter name, its aval, and where it is committed, if it is."""

    path: str
    aval: Any
    placement: str


def leaves(traced: jax.stages.Traced, names: Sequence[str]) -> Iterator[Leaf]:
    """Each array of the call, in JAX's order, which is that of `names`.

    Placement is that of committed arrays; JAX keeps it next to the trace (`_meta_tys_flat`, 0.8.3
    to 0.12.0.1), and it is empty if a JAX does not.
    """
    avals: Any = traced.jaxpr.in_avals
    for path, aval, meta in zip(names, avals, _metas(traced), strict=True):
        yield Leaf(path, aval, _placement(meta) if meta else "")


def mesh_of(traced: jax.stages.Traced) -> Mapping[str, str]:
    """`{"mesh": "data=4"}`: the mesh over which the arguments are sharded; empty if there is none."""
    for meta in _metas(traced):
        sharding = getattr(meta, "sharding", None)
        if isinstance(sharding, jax.sharding.NamedSharding):
            return {"mesh": ",".join(f"{axis}={size}" for axis, size in sharding.mesh.shape.items())}
    return {}


def _metas(traced: jax.stages.Traced) -> tuple[Any, ...]:
    count = len(traced.jaxpr.in_avals)
    metas = tuple(getattr(traced, "_meta_tys_flat", ()))
    return metas if len(metas) == count else (None,) * count


def _placement(meta: Any) -> str:
    """In the argument grammar: `@cpu:1`, `@P('data', None)`; empty if it is not committed."""
    sharding: Any = getattr(meta, "sharding", None)
    if not isinstance(sharding, jax.sharding.Sharding) or not getattr(meta, "committed", False):
        return ""
    kind = _memory(sharding)
    if isinstance(sharding, jax.sharding.NamedSharding):
        return f"@P({', '.join(map(repr, spec_entries(sharding.spec)))}){kind}"
    devices: list[Any] = sorted(sharding.device_set, key=lambda device: device.id)
    return "@" + "+".join(f"{device.platform}:{device.id}" for device in devices) + kind


def _memory(sharding: Any) -> str:
    """` in pinned_host`; empty for the device's default memory, or if that is not known."""
    try:
        default = next(iter(sharding.device_set)).default_memory().kind
    except (ValueError, RuntimeError, AttributeError):  # an abstract mesh has no devices
        return ""
    return "" if sharding.memory_kind in (None, default) else f" in {sharding.memory_kind}"
