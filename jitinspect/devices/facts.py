"""What is known of a device: the facts that a compiler, a memory limit and a roofline need.

All figures are those of one JAX device, which is half a chip on TPU v2, v3 and 7x. A fact that the maker
does not publish is absent; none is estimated. Figures were seen in November 2026; each table names its
sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MIB, GIB = 2**20, 2**30
LINK_SOURCES = {
    "tpu": "Google Cloud's pages on each TPU, Google's papers for v2 to v4; November 2026",
    "cuda": "NVIDIA's NVLink page, and tables of its data sheets' figures; November 2026",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A kind of device. `name` is its short name here, `kind` what JAX calls it in `Device.device_kind`.

    `memory` is in bytes, `bandwidth` of that memory in bytes/s. `usable` is what the compiler lets a
    program take of the memory, in bytes; None if the compiler never refuses. `peak` is the peak rate of
    dense products, in FLOP/s (for integers: operations/s), by dtype: `bf16`, `f16`, `f32`, `tf32`, `f64`,
    `f8`, `i8`.

    `link` is what one device can send per second over all its links to other devices together, in bytes/s
    one way, None if that is not public; `link_kind` is what the maker calls them. Makers publish the sum of
    both directions, of which half is one way.
    """

    name: str
    kind: str
    memory: int
    bandwidth: int
    peak: Mapping[str, float] = field(hash=False)
    usable: int | None = None
    aliases: tuple[str, ...] = ()
    link: int | None = None
    link_kind: str = ""

    @property
    def platform(self) -> str:
        """JAX's name of the platform: `tpu` or `cuda`."""
        raise NotImplementedError

    @property
    def link_source(self) -> str:
        """Where `link` is published, for a reader; `jitinspect.devices.tpus` and `gpus` say which is from
        where.
        """
        return LINK_SOURCES[self.platform]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tpu(Device):
    """A TPU generation. `shapes` are the slices that exist, in chips along each axis, the single chip first.

    `most_chips` is not None where larger slices are built from cubes of 4x4x4 chips: any A ≤ B ≤ C,
    multiples of 4, with no more chips than that. `options` are further arguments of `get_topology_desc`.
    """

    shapes: tuple[tuple[int, ...], ...]
    most_chips: int | None = None
    devices_per_chip: int = 1
    options: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def platform(self) -> str:
        return "tpu"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu(Device):
    """A CUDA GPU, with the facts of XLA's `GpuTargetConfigProto` that differ from GPU to GPU.

    `most` is how many share one host, or one NVLink domain. `capability` is the compute capability;
    `accelerated` whether the instructions of that architecture alone are used (`sm_90a`). `cores` are
    streaming multiprocessors; sizes are in bytes, the boost clock `clock` in GHz.
    """

    capability: tuple[int, int]
    accelerated: bool
    cores: int
    fpus_per_core: int
    threads_per_core: int
    shared_memory_per_core: int
    shared_memory_per_block: int
    l2_cache: int
    clock: float
    most: int = 8

    @property
    def platform(self) -> str:
        return "cuda"
