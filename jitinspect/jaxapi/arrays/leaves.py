"""What JAX's caches see of one array argument. Private names seen on jax 0.8.3 to 0.12.0.1."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

import jax
import numpy as np
from jax._src import config as _config
from jax._src.array import ArrayImpl as ArrayImpl  # also for other modules

from jitinspect.jaxapi.devices import option
from jitinspect.specs import short_dtype
from jitinspect.specs.describe import spec_entries


class LeafFacts(NamedTuple):
    """A leaf's type and placement; None where a kind of leaf has no such thing.

    `dtype` is JAX's short name. `device` is `cpu:0`, several are `cpu:0,1`; `sharding` is None on a
    single device, `layout` None for the device's default, `mesh` (that of the sharding) None without one,
    `memory_space` None for the device's default memory: JAX's type of an array only has the others.
    """

    shape: tuple[int, ...]
    dtype: str
    weak_type: bool
    committed: bool | None
    device: str | None
    sharding: str | None
    memory_kind: str | None
    layout: str | None
    mesh: str | None = None
    memory_space: str | None = None


_KEYS: dict[type, Callable[[Any], Hashable]] = {
    np.ndarray: attrgetter("shape", "dtype"),
    ArrayImpl: lambda leaf: (leaf.aval, leaf._committed, leaf.sharding, _raw_layout(leaf)),
}


def leaf_keys(leaves: list[Any]) -> list[Hashable]:
    """The `leaf_key` of each."""
    kinds = {*map(type, leaves)}
    known = _KEYS.get(kinds.pop()) if len(kinds) == 1 else None
    return [*map(known or leaf_key, leaves)]


def leaf_key(leaf: Any) -> Hashable:
    """Different for leaves that differ to JAX while `x64` is the same; cheap, as a miss may have many."""
    if (known := _KEYS.get(type(leaf))) is not None:
        return known(leaf)
    if isinstance(leaf, np.ndarray | np.generic):
        return leaf.shape, leaf.dtype
    if isinstance(leaf, jax.ShapeDtypeStruct):
        return leaf.shape, leaf.dtype, leaf.weak_type, leaf.sharding
    if isinstance(leaf, jax.core.Tracer):
        return leaf.aval, jax.core.Tracer
    return _other_key(leaf)


def leaf_sort(leaf: Any) -> Hashable:
    """Equal, while `x64` is the same, only for leaves whose facts differ at most in the sizes of the shape;
    None if that is not known.
    """
    if type(leaf) is ArrayImpl:
        aval = leaf.aval
        return len(aval.shape), aval.dtype, aval.weak_type, leaf._committed, leaf.sharding, _raw_layout(leaf)
    if isinstance(leaf, np.ndarray):
        return leaf.ndim, leaf.dtype, option("jax_default_device")
    return None


def traced_dtype(array: Any) -> Any:
    """The dtype that JAX gives an array: `float64` becomes `float32` while x64 is off."""
    if isinstance(array, np.ndarray | np.generic | jax.ShapeDtypeStruct) and _is_plain(array.dtype):
        return jax.dtypes.canonicalize_dtype(array.dtype)
    return array.dtype


def _is_plain(dtype: Any) -> bool:
    """False for key dtypes (which are not NumPy dtypes), and for bf16 and the like, which have one width."""
    return getattr(dtype, "kind", "V") != "V"


def leaf_facts(leaf: Any) -> LeafFacts:
    """The facts of one leaf. Raises TypeError for what JAX does not accept as an array."""
    aval = jax.typeof(leaf)
    shape, dtype = tuple(aval.shape), _dtype(aval.dtype)
    weak = bool(getattr(aval, "weak_type", False))
    if isinstance(leaf, jax.core.Tracer):
        return LeafFacts(shape, dtype, weak, None, None, None, None, None)
    sharding = getattr(leaf, "sharding", None)
    committed = bool(getattr(leaf, "_committed", sharding is not None))
    if sharding is None:
        sharding = jax.sharding.SingleDeviceSharding(_default_device())
    device, placed, memory, mesh, space = _placement(sharding)
    layout = _layout(leaf, len(shape))
    return LeafFacts(shape, dtype, weak, committed, device, placed, memory, layout, mesh, space)


@lru_cache(maxsize=256)
def _dtype(dtype: Any) -> str:
    return short_dtype(str(dtype))


@lru_cache(maxsize=256)
def _placement(sharding: Any) -> tuple[str | None, str | None, str | None, str | None, str | None]:
    """Device, sharding, memory kind, mesh and memory space; cached, as most leaves share them."""
    return (
        device_text(sharding),
        sharding_text(sharding),
        getattr(sharding, "memory_kind", None),
        mesh_text(sharding.mesh) if isinstance(sharding, jax.sharding.NamedSharding) else None,
        _memory_space(sharding),
    )


def _memory_space(sharding: Any) -> str | None:
    kind = getattr(sharding, "memory_kind", None)
    try:
        own = next(iter(sharding.device_set)).default_memory().kind
    except (ValueError, StopIteration, RuntimeError):
        own = None
    return None if kind == own else kind


def device_text(sharding: Any) -> str | None:
    """`cpu:1`, or `cpu:0,1,2,3`; None for a sharding without devices (an abstract mesh)."""
    try:
        devices = sorted(sharding.device_set, key=lambda device: device.id)
    except ValueError:
        return None
    return f"{devices[0].platform}:{','.join(str(device.id) for device in devices)}"


def sharding_text(sharding: Any) -> str | None:
    """`P('data') over data=4`, the same for shardings that JAX considers equal; None for a single device."""
    if isinstance(sharding, jax.sharding.SingleDeviceSharding):
        return None
    if not isinstance(sharding, jax.sharding.NamedSharding):
        return str(sharding)
    entries = [_entry(entry) for entry in spec_entries(sharding.spec)]
    while entries and entries[-1] is None:
        entries.pop()
    mesh = sharding.mesh
    return f"P({', '.join(map(repr, entries))}) over {mesh_text(mesh)}"


def mesh_text(mesh: Any) -> str:
    """`data=4,model=2`, with the types of the axes where not all are Auto: `data=4 (explicit)`."""
    sizes = ",".join(f"{name}={size}" for name, size in mesh.shape.items())
    types = [getattr(kind, "name", str(kind)).lower() for kind in getattr(mesh, "axis_types", None) or ()]
    return sizes if set(types) <= {"auto"} else f"{sizes} ({','.join(dict.fromkeys(types))})"


def transformation(leaves: Iterable[tuple[str, Any]]) -> str | None:
    """The transformations that a call is under, outermost first: `vmap over 4`, `jvp, vmap over 4`; None for
    none. Where the arguments differ, by argument: `x: vmap over 4; y: nothing`.

    `leaves` are those of each parameter, with its name. Read from the tracers among them, as JAX sets the
    current trace aside while it compiles.
    """
    by_parameter: dict[str, list[str]] = {}
    for where, leaf in leaves:
        by_parameter.setdefault(where, []).append(_transformations(leaf))
    texts = {where: ", then ".join(dict.fromkeys(names)) for where, names in by_parameter.items()}
    distinct = set(texts.values())
    if distinct <= {_UNDER_NOTHING}:
        return None
    return distinct.pop() if len(distinct) == 1 else "; ".join(f"{at}: {text}" for at, text in texts.items())


_UNDER_NOTHING = "nothing"


def _transformations(leaf: Any) -> str:
    return ", ".join(map(_transformation_name, _nested_tracers(leaf))) or _UNDER_NOTHING


def _transformation_name(tracer: Any) -> str:
    """`grad`, `vmap over 4`, `vmap over 4 on axis 1`; `jvp along vmap over 4` under `jacfwd`."""
    name = _TRACER_NAMES.get(type(tracer).__name__, type(tracer).__name__)
    if name == "grad" and getattr(getattr(tracer, "_trace", None), "is_vjp", True) is False:
        name = "linearize"
    along = _transformations(getattr(tracer, "tangent", None))
    if name == "jvp" and along not in (_UNDER_NOTHING, _transformations(tracer.primal)):
        name = f"jvp along {along}"
    inner, axis = getattr(tracer, "val", None), getattr(tracer, "batch_dim", None)
    if not (isinstance(axis, int) and hasattr(inner, "shape")):
        return name
    return f"{name} over {inner.shape[axis]}{f' on axis {axis}' if axis else ''}"  # type: ignore[union-attr]


_TRACER_NAMES = {
    "JVPTracer": "jvp",
    "LinearizeTracer": "grad",
    "BatchTracer": "vmap",
    "RematTracer": "checkpoint",
}
"""`grad`, `vjp` and `linearize` share a tracer; its trace tells `linearize` apart (from 0.9.2 on)."""


def _nested_tracers(leaf: Any) -> Iterator[Any]:
    """A tracer, and the tracers inside it."""
    while isinstance(leaf, jax.core.Tracer):
        yield leaf
        inner = getattr(leaf, "val", None)
        leaf = getattr(leaf, "primal", None) if inner is None else inner


def _entry(entry: Any) -> Any:
    return entry[0] if isinstance(entry, tuple) and len(entry) == 1 else entry or None


def _other_key(leaf: Any) -> Hashable:
    """Python scalars by type, unless an int is too large for 32 bits; others by type, aval and placement."""
    if isinstance(leaf, int) and not isinstance(leaf, bool) and leaf.bit_length() > 31:
        return int, leaf.bit_length()
    if isinstance(leaf, bool | int | float | complex):
        return type(leaf), None
    aval = jax.typeof(leaf)
    return type(leaf), aval, getattr(leaf, "_committed", None), getattr(leaf, "sharding", None)


def x64() -> bool:
    """`jax.config.jax_enable_x64`, the faster way."""
    return bool(_config.enable_x64.value)


def _default_device() -> Any:
    """The setting may also name a platform, as in `jax.default_device('cpu')`."""
    chosen = option("jax_default_device")
    return jax.local_devices(backend=chosen)[0] if chosen is None or isinstance(chosen, str) else chosen


def _raw_layout(array: Any) -> Any:
    """None for an array that was donated: it still has its type and sharding, but no layout."""
    try:
        return array._pjrt_layout
    except (RuntimeError, AttributeError, NotImplementedError):
        return None


def _layout(leaf: Any, rank: int) -> str | None:
    """The dimensions from outermost to innermost, `(1, 0)`, if that is not the default order; with anything
    else that XLA says, such as tiles. XLA writes the innermost first: `{0,1}`.
    """
    match = re.fullmatch(r"\{([\d,]*)(.*)\}", str(_raw_layout(leaf) or ""))
    if match is None:
        return None
    order, rest = f"({', '.join(reversed(match[1].split(',')))})", match[2].lstrip(":")
    return (
        None if order == f"({', '.join(map(str, range(rank)))})" and not rest else f"{order} {rest}".strip()
    )
