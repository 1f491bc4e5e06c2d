"""The least time that a program needs on a device: its FLOPs at the peak rate, its bytes at the bandwidth of
the memory, what it sends to other devices at that of its links.

A bound from below, not a prediction. Of the FLOPs, those count for whose numbers a peak is public, and where
it is not known which of two rates is used, the higher:

- The peak of a matrix product is that of its operands' type, whatever it accumulates in.
- On TPUs an f32 product is made of products of bf16: one, three for the precision `high`, six for `highest`.
  libtpu 0.0.42.1 estimates as much (`estimated_cycles` of a product of 4096 × 4096 matrices on v5e: 1.11,
  3.34, 6.39 M, where the peak needs 1.05, 3.15, 6.29 M; likewise on v4, v5p and v6e).
- On GPUs that have TF32, an f32 product takes it, unless its precision is `highest`: XLA chooses so
  (`GetBlasComputationType`; JAX's documentation, "Matmul precision").
- An algorithm that was asked for (`BF16_BF16_F32_X3`) says the type, and how many products make one.
- All other arithmetic is left to scalar units, whose f32 and f64 peaks are public for GPUs, none for TPUs.

Matrix units and scalar units may work at the same time: the slower of them counts. What is sent is what a
ring sends (`ir.collectives`), over all links of a device at once. A TPU has no cache before its main memory;
a GPU has, and its libraries may make a convolution of fewer FLOPs: `assumptions` says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jitinspect.model.communication import LinkSpeed
from jitinspect.model.readings import BoundBy, Rate, Roofline
from jitinspect.readings.cost_model.instruction_costs import InstructionCost
from jitinspect.readings.cost_model.precisions import Numbers

if TYPE_CHECKING:
    from jitinspect.devices.facts import Device

_BF16_PRODUCTS = {"default": 1, "high": 3, "highest": 6}
_ALGORITHM = re.compile(r"dot_(any_f8|[a-z0-9]+)_.*?(?:_x(\d))?$")
_FAMILIES = {"s8": "i8", "u8": "i8", "any_f8": "f8"}
_OF_SCALAR_UNITS = ("f32", "f64")
SOURCES = {
    "tpu": "Google Cloud's pages on each TPU, and jax's own table for v2; November 2026",
    "cuda": "XLA's target configurations and NVIDIA's data sheets; November 2026",
}
"""Of the peaks and bandwidths. `jitinspect.devices.tpus` and `gpus` say which is from where."""

Part = tuple[InstructionCost, int]
"""An instruction, and how many lines made it: the part of one of them counts."""


@dataclass(frozen=True, slots=True)
class Bound:
    """Seconds that are needed at least, for FLOPs, for bytes, and for what links carry; the greatest is the
    bound. `links_seconds` is 0 if the speed of links is not known.
    """

    flops_seconds: float
    bytes_seconds: float
    links_seconds: float

    @property
    def seconds(self) -> float:
        return max(self.flops_seconds, self.bytes_seconds, self.links_seconds)

    @property
    def by(self) -> BoundBy | None:
        """What needs longest; None if nothing needs time."""
        if not self.seconds:
            return None
        if self.seconds == self.bytes_seconds:
            return "bytes"
        return "flops" if self.seconds == self.flops_seconds else "links"


def bound(parts: Iterable[Part], device: Device, links_seconds: float = 0.0) -> Bound:
    """That of some instructions together, and of what they send to other devices."""
    products = others = moved = 0.0
    for one, count in parts:
        seconds = (_flops_seconds(one, device) or 0.0) / count
        if one.numbers is not None and one.numbers.is_product:
            products += seconds
        else:
            others += seconds
        moved += one.hbm_bytes / count
    return Bound(max(products, others), moved / device.bandwidth, links_seconds)


def _flops_seconds(one: InstructionCost, device: Device) -> float | None:
    """None if no peak is public."""
    if one.numbers is None or not one.flops:
        return 0.0
    peak, products = peak_of(one.numbers, device)
    return one.flops * products / device.peak[peak] if peak else None


def peak_of(numbers: Numbers, device: Device) -> tuple[str | None, int]:
    """The name of the peak that holds for these numbers, None if there is no public one; and how many
    products make one.
    """
    if not numbers.is_product:
        is_known = device.platform == "cuda" and numbers.dtype in _OF_SCALAR_UNITS
        return _public(numbers.dtype if is_known else "", device), 1
    dtype, products = _asked(numbers)
    if dtype == "f32":
        dtype, products = _single(numbers.precision, device)
    return _public("bf16" if dtype == "f16" and device.platform == "tpu" else dtype, device), products


def _asked(numbers: Numbers) -> tuple[str, int]:
    """By the algorithm, if one was asked for."""
    found = _ALGORITHM.match(numbers.algorithm)
    dtype = found[1] if found else numbers.dtype
    is_f8 = dtype.startswith("f8")
    return "f8" if is_f8 else _FAMILIES.get(dtype, dtype), int(found[2] or 1) if found else 1


def _single(precision: str, device: Device) -> tuple[str, int]:
    """What f32 products are made of."""
    if device.platform == "tpu":
        return "bf16", _BF16_PRODUCTS[precision]
    return ("tf32" if precision != "highest" and "tf32" in device.peak else "f32"), 1


def _public(peak: str, device: Device) -> str | None:
    return peak if peak in device.peak else None


def roofline(
    instructions: Iterable[InstructionCost], device: Device, name: str, links: LinkSpeed | None = None
) -> Roofline:
    """That of a whole program; `name` is what the user called the device, `links` what it can send to
    others, if that is known.
    """
    known = list(instructions)
    sends = [one for one in known if one.wire_bytes is not None and one.times]
    sent = sum(one.wire_bytes or 0 for one in sends)
    links = links if sends else None
    total = bound(((one, 1) for one in known), device, sent / links.bandwidth if links else 0.0)
    rates = _rates(known, device)
    flops = _binding_flops(rates)
    moved = sum(one.hbm_bytes for one in known)
    return Roofline(
        device=name,
        kind=device.kind,
        bandwidth=device.bandwidth,
        flops=flops,
        hbm_bytes=moved,
        flops_seconds=total.flops_seconds,
        bytes_seconds=total.bytes_seconds,
        bound_seconds=total.seconds,
        bound_by=total.by,
        intensity=flops / moved if moved else None,
        ridge=flops / total.flops_seconds / device.bandwidth if total.flops_seconds else None,
        rates=rates,
        collectives=tuple(one.operation.names[0] for one in sends),
        source=SOURCES[device.platform],
        assumptions=tuple(_assumptions(known, device, links is not None)),
        wire_bytes=sent,
        links=links,
        links_seconds=total.links_seconds if links else None,
    )


def _assumptions(instructions: Iterable[InstructionCost], device: Device, is_linked: bool) -> Iterator[str]:
    if is_linked:
        yield "each device sends over all its links at once, in rings"
    if device.platform == "cuda":
        yield "nothing stays in the L2 cache between kernels"
        if any("__cudnn$conv" in one.operation.rest for one in instructions):
            yield "no convolution is made of fewer FLOPs"


def _binding_flops(rates: Iterable[Rate]) -> int:
    """Those of the units that need longest, matrix units or scalar ones."""
    known = [rate for rate in rates if rate.seconds]
    groups = [[rate for rate in known if rate.is_product is kind] for kind in (True, False)]
    slowest = max(groups, key=lambda group: sum(rate.seconds or 0.0 for rate in group))
    return sum(rate.flops for rate in slowest)


def _rates(instructions: Iterable[InstructionCost], device: Device) -> tuple[Rate, ...]:
    """The FLOPs on each kind of numbers; what needs longest first."""
    flops: dict[Numbers, int] = {}
    for one in instructions:
        if one.numbers is not None and one.flops:
            flops[one.numbers] = flops.get(one.numbers, 0) + one.flops
    rates = (_rate(numbers, count, device) for numbers, count in flops.items())
    return tuple(sorted(rates, key=lambda rate: (-(rate.seconds or 0.0), -rate.flops)))


def _rate(numbers: Numbers, flops: int, device: Device) -> Rate:
    peak, products = peak_of(numbers, device)
    per_second = device.peak[peak] if peak else None
    return Rate(
        dtype=numbers.dtype,
        is_product=numbers.is_product,
        precision=numbers.algorithm or numbers.precision,
        flops=flops,
        peak=peak,
        products=products,
        per_second=per_second,
        seconds=flops * products / per_second if per_second else None,
    )
