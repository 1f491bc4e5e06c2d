"""The CUDA GPUs whose facts XLA publishes, and the text in which XLA wants them.

Sources, seen in November 2026:

- All facts but the peaks: XLA's own target configurations, `xla/backends/gpu/target_config/specs/*.txtpb` in
  openxla/xla. That of B300 does not say that it has instructions of its own; that of GB300, the same
  architecture, does. `kind` is the description in them, which a real device may word otherwise; that of A100
  PCIe is "A100 80GB" there, which does not tell it from the other.
- Peaks of Hopper and Blackwell: the rates in those files, 2 · cores · units · operations · clock, of the
  matrix units; `f32` of the scalar ones. For H100 they come to NVIDIA's 989 TFLOP/s in bf16. B300's and
  GB300's rates of `f64` and `i8` are there those of B200, which NVIDIA's figures contradict: left out.
- Peaks of the others: NVIDIA's data sheets of Tesla P100 and V100 (SXM2), A100 and RTX A6000, as quoted by
  others. V100's `f16` and A100's `f64` are those of the tensor cores. Of RTX PRO 6000 only `f32` is held: the
  rest is announced with sparsity.
- `link`: half of the totals in NVIDIA's data sheets and on its page "NVLink and NVLink Switch": NVLink 160
  GB/s for P100, 300 for V100, 600 for A100, 900 for Hopper, 1800 for Blackwell (4, 6, 12, 18, 18 links); PCIe
  x16 64 for generation 4, 128 for generation 5. Boards without NVLink have PCIe's: the bridge that may join
  two of A100 PCIe, H100 PCIe or RTX A6000 is left out, as is the PCIe of those with NVLink.
- GPUs in one host: DGX-1 and HGX; 16 for A100 (Google Cloud's a2-megagpu-16g); a rack, NVL72, for GB200 and
  GB300.
"""

from __future__ import annotations

from functools import partial

from jitinspect.devices.facts import Gpu

_pascal = partial(
    Gpu,
    capability=(6, 0),
    accelerated=False,
    fpus_per_core=64,
    threads_per_core=2048,
    shared_memory_per_core=65_536,
    shared_memory_per_block=49_152,
)
_volta = partial(
    Gpu,
    capability=(7, 0),
    accelerated=False,
    fpus_per_core=64,
    threads_per_core=2048,
    shared_memory_per_core=98_304,
    shared_memory_per_block=98_304,
)
_a100 = partial(
    Gpu,
    capability=(8, 0),
    accelerated=False,
    cores=108,
    fpus_per_core=64,
    threads_per_core=2048,
    shared_memory_per_core=167_936,
    shared_memory_per_block=166_912,
    l2_cache=41_943_040,
    peak={"f64": 19.5e12, "f32": 19.5e12, "tf32": 156e12, "bf16": 312e12, "f16": 312e12, "i8": 624e12},
)
_hopper = partial(
    Gpu,
    capability=(9, 0),
    accelerated=True,
    fpus_per_core=128,
    threads_per_core=2048,
    shared_memory_per_core=233_472,
    shared_memory_per_block=232_448,
    l2_cache=52_428_800,
)
_hopper_sxm = partial(
    _hopper,
    cores=132,
    clock=1.98,
    link=450_000_000_000,
    link_kind="NVLink",
    peak={
        "f64": 66.9e12,
        "f32": 66.9e12,
        "tf32": 494.6e12,
        "bf16": 989.2e12,
        "f16": 989.2e12,
        "f8": 1978.3e12,
        "i8": 1978.3e12,
    },
)
_blackwell = partial(
    Gpu,
    accelerated=True,
    fpus_per_core=128,
    threads_per_core=2048,
    shared_memory_per_core=233_472,
    shared_memory_per_block=232_448,
)

GPUS = (
    _pascal(
        name="p100",
        kind="Tesla P100-SXM2-16GB",
        memory=17_066_885_120,
        bandwidth=732_160_000_000,
        link=80_000_000_000,
        link_kind="NVLink",
        peak={"f64": 5.3e12, "f32": 10.6e12, "f16": 21.2e12},
        cores=56,
        l2_cache=4_194_304,
        clock=1.4805,
    ),
    _volta(
        name="v100",
        kind="Tesla V100-SXM2-16GB",
        memory=16_935_682_048,
        bandwidth=898_048_000_000,
        link=150_000_000_000,
        link_kind="NVLink",
        peak={"f64": 7.8e12, "f32": 15.7e12, "f16": 125e12},
        cores=80,
        l2_cache=6_291_456,
        clock=1.53,
    ),
    _a100(
        name="a100",
        kind="NVIDIA A100-SXM4-80GB",
        aliases=("a100-80gb", "a100-sxm"),
        memory=85_100_068_864,
        bandwidth=2_039_040_000_000,
        link=300_000_000_000,
        link_kind="NVLink",
        clock=1.41,
        most=16,
    ),
    _a100(
        name="a100-40gb",
        kind="NVIDIA A100-SXM4-40GB",
        memory=42_331_013_120,
        bandwidth=1_555_200_000_000,
        link=300_000_000_000,
        link_kind="NVLink",
        clock=1.41,
        most=16,
    ),
    _a100(
        name="a100-pcie",
        kind="NVIDIA A100 80GB PCIe",
        memory=79_050_250_240,
        bandwidth=2_039_000_000_000,
        link=32_000_000_000,
        link_kind="PCIe",
        clock=1.1105,
    ),
    Gpu(
        name="a6000",
        kind="NVIDIA RTX A6000",
        aliases=("rtx-a6000",),
        memory=51_041_271_808,
        bandwidth=768_096_000_000,
        link=32_000_000_000,
        link_kind="PCIe",
        peak={"f32": 38.7e12, "bf16": 154.8e12, "f16": 154.8e12, "i8": 309.7e12},
        capability=(8, 6),
        accelerated=False,
        cores=84,
        fpus_per_core=128,
        threads_per_core=1536,
        shared_memory_per_core=102_400,
        shared_memory_per_block=101_376,
        l2_cache=6_291_456,
        clock=1.8,
    ),
    _hopper_sxm(
        name="h100",
        kind="NVIDIA H100 80GB HBM3",
        aliases=("h100-80gb", "h100-sxm"),
        memory=84_942_979_072,
        bandwidth=3_352_320_000_000,
    ),
    _hopper(
        name="h100-pcie",
        kind="NVIDIA H100 PCIe",
        memory=84_942_979_072,
        bandwidth=2_039_040_000_000,
        link=64_000_000_000,
        link_kind="PCIe",
        peak={
            "f64": 51.2e12,
            "f32": 51.2e12,
            "tf32": 378.6e12,
            "bf16": 757.2e12,
            "f16": 757.2e12,
            "f8": 1514.4e12,
            "i8": 1514.4e12,
        },
        cores=114,
        clock=1.755,
    ),
    _hopper_sxm(
        name="h200",
        kind="NVIDIA H200 141GB HBM3e",
        memory=151_397_597_184,
        bandwidth=4_800_000_000_000,
    ),
    _blackwell(
        name="b200",
        kind="NVIDIA B200",
        memory=191_514_411_008,
        bandwidth=7_672_320_000_000,
        link=900_000_000_000,
        link_kind="NVLink",
        peak={
            "f64": 37.2e12,
            "f32": 74.4e12,
            "tf32": 1112.6e12,
            "bf16": 2225.2e12,
            "f16": 2225.2e12,
            "f8": 4450.3e12,
            "i8": 4450.3e12,
        },
        capability=(10, 0),
        cores=148,
        l2_cache=132_644_864,
        clock=1.965,
    ),
    _blackwell(
        name="b300",
        kind="NVIDIA B300",
        memory=297_021_865_984,
        bandwidth=7_936_000_000_000,
        link=900_000_000_000,
        link_kind="NVLink",
        peak={"f32": 79.5e12, "tf32": 1187.8e12, "bf16": 2375.5e12, "f16": 2375.5e12, "f8": 4751e12},
        capability=(10, 3),
        cores=158,
        l2_cache=135_528_448,
        clock=1.965,
    ),
    _blackwell(
        name="gb200",
        kind="NVIDIA GB200",
        memory=197_897_748_480,
        bandwidth=7_928_064_000_000,
        link=900_000_000_000,
        link_kind="NVLink",
        peak={
            "f64": 40.1e12,
            "f32": 80.2e12,
            "tf32": 1199.1e12,
            "bf16": 2398.1e12,
            "f16": 2398.1e12,
            "f8": 4796.2e12,
            "i8": 4796.2e12,
        },
        capability=(10, 0),
        cores=152,
        l2_cache=135_528_448,
        clock=2.062,
        most=72,
    ),
    _blackwell(
        name="gb300",
        kind="NVIDIA GB300",
        memory=297_021_079_552,
        bandwidth=7_928_064_000_000,
        link=900_000_000_000,
        link_kind="NVLink",
        peak={"f32": 80.5e12, "tf32": 1203.7e12, "bf16": 2407.4e12, "f16": 2407.4e12, "f8": 4814.8e12},
        capability=(10, 3),
        cores=152,
        l2_cache=135_528_448,
        clock=2.07,
        most=72,
    ),
    Gpu(
        name="rtx-pro-6000",
        kind="NVIDIA RTX PRO 6000 Blackwell",
        aliases=("rtx6000pro",),
        memory=103_079_215_104,
        bandwidth=1_792_000_000_000,
        link=64_000_000_000,
        link_kind="PCIe",
        peak={"f32": 125e12},
        capability=(12, 0),
        accelerated=False,
        cores=188,
        fpus_per_core=128,
        threads_per_core=1536,
        shared_memory_per_core=131_072,
        shared_memory_per_block=101_376,
        l2_cache=134_217_728,
        clock=2.6,
    ),
)

_SAME = {
    "threads_per_block_limit": 1024,
    "threads_per_warp": 32,
    "shared_memory_per_block": 49_152,
    "block_dim_limit_x": 2_147_483_647,
    "block_dim_limit_y": 65_535,
    "block_dim_limit_z": 65_535,
    "registers_per_core_limit": 65_536,
    "registers_per_block_limit": 65_536,
    "thread_dim_limit_x": 1024,
    "thread_dim_limit_y": 1024,
    "thread_dim_limit_z": 64,
}
"""Alike in all of XLA's target configurations."""

_SOFTWARE = {
    "driver_version": "13.0.0",
    "runtime_version": "12.8.0",
    "compile_time_toolkit_version": "12.8.0",
    "dnn_version": "9.10.0",
}
"""The versions in XLA's target configurations, on which it makes some of its choices."""


def target_config(gpu: Gpu) -> str:
    """The GPU as a text proto of XLA's `GpuTargetConfigProto`, accepted by jax 0.10.2 and 0.12.0.1."""
    facts = {
        **_SAME,
        "shared_memory_per_core": gpu.shared_memory_per_core,
        "shared_memory_per_block_optin": gpu.shared_memory_per_block,
        "threads_per_core_limit": gpu.threads_per_core,
        "core_count": gpu.cores,
        "fpus_per_core": gpu.fpus_per_core,
        "memory_bandwidth": gpu.bandwidth,
        "l2_cache_size": gpu.l2_cache,
        "clock_rate_ghz": gpu.clock,
        "device_memory_size": gpu.memory,
    }
    lines = [f"  {name}: {value}" for name, value in facts.items()]
    lines += [f'  {name}: "{version}"' for name, version in _SOFTWARE.items()]
    extension = "ACCELERATED_FEATURES" if gpu.accelerated else "NONE"
    major, minor = gpu.capability
    lines.append(
        f"  cuda_compute_capability {{ major: {major} minor: {minor} feature_extension: {extension} }}"
    )
    head, tail = "gpu_device_info {", '}\nplatform_name: "CUDA"\ndnn_version_info { major: 9 minor: 10 }'
    return "\n".join([head, *lines, tail, f'device_description_str: "{gpu.kind}"', ""])
