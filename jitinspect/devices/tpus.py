"""The TPU generations that libtpu compiles for.

Sources, seen in November 2026:

- Memory, bandwidth, peaks: Google Cloud's pages, one a generation: "TPU v3", "TPU v4", "TPU v5e", "TPU v6e",
  "TPU7x (Ironwood)", which also has v5p (https://docs.cloud.google.com/tpu/docs/v3 and so on). They give the
  figures of a chip, halved here where a chip is two JAX devices. What they lack is from jax 0.12.0.1,
  `jax/_src/tpu_info.py`: all figures of v2, the int8 rate of v5p, and v5p's memory, for which the page says
  95 GB, less than libtpu lets a program take.
- `usable`: a program of one addition, made larger until it was refused. libtpu 0.0.42.1 and 0.0.50.1 accept
  these sizes, and refuse above them with "exceeds available HBM (15.75G)"; to within 2 MiB. Of v5p, v6e and
  7x, 0.0.50.1 lets a program take 4 to 16 MiB less than 0.0.42.1: the lesser is given.
- `shapes`: "TPU v5e", "TPU v5p", "TPU types and topologies" there. For v2 and v3, the sizes that "TPU v2" and
  "TPU v3" list (v2-512: 256 chips), laid out as in PyTorch/XLA's `accelerator_type_to_host_bounds`. libtpu
  itself accepts any shape that its hosts of 2x2 chips divide, also 64x64 chips of v5e.
- JAX devices a chip: the topologies of both versions. Left to itself libtpu takes a v4 chip for two devices
  of one core and 15.25 GiB, as if it were a v3. Cloud TPU runs v4 as one device of two cores, which is what
  `megacore` stands for here and in MaxText's `accelerator_to_spec_map.py`.
- `link`: half of the "Bidirectional inter-chip interconnect (ICI) bandwidth per chip" of those pages: v5e
  400, v6e 800, v5p and 7x 1200 GB/s. Earlier versions of v5e's and v5p's said 1600 and 4800 Gbit/s one way,
  which is the same. The pages of v2 to v4 have none. v4: "6 links @ 50 GB/s", v3: "4 links @ 70 GB/s" ("TPU
  v4: An Optically Reconfigurable Supercomputer", ISCA 2023, table 4); v2: four links of 500 Gbit/s ("The
  Design Process for Google's Training Chips", IEEE Micro 2021); both as quoted by others. "How to Scale Your
  Model" has 45 GB/s a link and direction for v4 and v5e, 90 for v5p, v6e and 7x, but 100 for v3. Where a chip
  is two JAX devices each has half of its links; what these two send each other takes another way.
"""

from __future__ import annotations

from jitinspect.devices.facts import GIB, MIB, Tpu


def _shapes(text: str) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(map(int, shape.split("x"))) for shape in text.split())


_FLAT = _shapes("1x1 2x2 2x4 4x4 4x8 8x8 8x16 16x16")
_SOLID = _shapes("1x1x1 2x2x1 2x2x2 2x2x4 2x4x4")

TPUS = (
    Tpu(
        name="v2",
        kind="TPU v2",
        memory=8 * GIB,
        usable=3830 * 2 * MIB,
        bandwidth=358_000_000_000,
        link=125_000_000_000,
        link_kind="ICI",
        peak={"bf16": 23e12},
        shapes=_shapes("1x1 2x2 4x4 8x8 8x16 16x16"),
        devices_per_chip=2,
    ),
    Tpu(
        name="v3",
        kind="TPU v3",
        memory=16 * GIB,
        usable=7926 * 2 * MIB,
        bandwidth=450_000_000_000,
        link=140_000_000_000,
        link_kind="ICI",
        peak={"bf16": 61.5e12},
        shapes=_shapes("1x1 2x2 4x4 4x8 8x8 8x16 16x16 16x32 32x32"),
        devices_per_chip=2,
    ),
    Tpu(
        name="v4",
        kind="TPU v4",
        memory=32 * GIB,
        usable=15742 * 2 * MIB,
        bandwidth=1_200_000_000_000,
        link=300_000_000_000,
        link_kind="ICI",
        peak={"bf16": 275e12, "i8": 275e12},
        shapes=_SOLID,
        most_chips=4096,
        options={"chip_config_name": "megacore"},
    ),
    Tpu(
        name="v5e",
        kind="TPU v5 lite",
        aliases=("v5lite", "v5litepod"),
        memory=16 * GIB,
        usable=8062 * 2 * MIB,
        bandwidth=819_000_000_000,
        link=200_000_000_000,
        link_kind="ICI",
        peak={"bf16": 197e12, "i8": 393e12},
        shapes=_FLAT,
    ),
    Tpu(
        name="v5p",
        kind="TPU v5",
        memory=103_000_000_000,
        usable=49012 * 2 * MIB,
        bandwidth=2_765_000_000_000,
        link=600_000_000_000,
        link_kind="ICI",
        peak={"bf16": 459e12, "i8": 918e12},
        shapes=_SOLID,
        most_chips=6144,
    ),
    Tpu(
        name="v6e",
        kind="TPU v6 lite",
        aliases=("v6lite", "trillium"),
        memory=32 * GIB,
        usable=15995 * 2 * MIB,
        bandwidth=1_638_000_000_000,
        link=400_000_000_000,
        link_kind="ICI",
        peak={"bf16": 918e12, "f8": 918e12, "i8": 1836e12},
        shapes=_FLAT,
    ),
    Tpu(
        name="tpu7x",
        kind="TPU7x",
        aliases=("v7x", "ironwood"),
        memory=96 * GIB,
        usable=48505 * 2 * MIB,
        bandwidth=3_690_000_000_000,
        link=300_000_000_000,
        link_kind="ICI",
        peak={"bf16": 1153.5e12, "f8": 2307e12},
        shapes=_SOLID,
        most_chips=9216,
        devices_per_chip=2,
    ),
)
