"""What the user calls a device, and what JAX is then asked for: `v5e`, `v5e:4x4`, `h100`, `h100:8`."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jitinspect.devices import catalog
from jitinspect.devices.facts import Gpu, Tpu
from jitinspect.devices.gpus import target_config
from jitinspect.errors import UsageError
from jitinspect.model.communication import LinkSpeed

CUBE = 4
"""Chips along each edge of the cubes of which large slices of v4, v5p and 7x are made."""


@dataclass(frozen=True, slots=True)
class DeviceTarget:
    """One device, or several that are connected, to compile for; they need not be here.

    `text` is what the user wrote. `shape` is the slice in chips along each axis for a TPU, `(count,)` for
    GPUs. `count` is the number of JAX devices. The topology is `get_topology_desc(target.topology,
    platform=target.platform, **target.topology_options)`, of `jax.experimental.topologies`.
    """

    text: str
    device: Tpu | Gpu
    shape: tuple[int, ...]
    count: int
    topology: str
    topology_options: Mapping[str, Any] = field(hash=False)

    @property
    def platform(self) -> str:
        """JAX's name of the platform: `tpu` or `cuda`."""
        return self.device.platform

    @property
    def links(self) -> LinkSpeed | None:
        """What one device can send to others; None if that is not public, or if all are one chip, whose two
        devices send each other what they send another way.
        """
        device = self.device
        is_one_chip = isinstance(device, Tpu) and math.prod(self.shape) == 1
        if device.link is None or is_one_chip:
            return None
        return LinkSpeed(device.kind, device.link, device.link_source, device.link_kind)


def parse_device(text: str) -> DeviceTarget:
    """Read a name such as `v5e:4x4`. Raises `UsageError` for a device or a size that does not exist."""
    name, colon, size = text.strip().casefold().partition(":")
    device = catalog.find(name)
    if device is None:
        raise UsageError(f"no device is called {text.partition(':')[0]!r}", hint=_nearest(name))
    if colon and not re.fullmatch(r"[0-9]{1,6}(x[0-9]{1,6})*", size):
        raise UsageError(f"{size!r} in {text!r} is not a size", hint=_example(device))
    dims = tuple(map(int, size.split("x"))) if colon else None
    if isinstance(device, Tpu):
        return _tpu(text, device, dims or device.shapes[0])
    return _gpu(text, device, dims or (1,))


def shape_text(shape: tuple[int, ...]) -> str:
    """`(4, 4)` → `4x4`."""
    return "x".join(map(str, shape))


def slices(device: Tpu) -> str:
    """The slices that exist, in words."""
    listed = ", ".join(map(shape_text, device.shapes))
    if device.most_chips is None:
        return listed
    cubes = f"AxBxC with A ≤ B ≤ C, multiples of {CUBE}, up to {device.most_chips} chips"
    return f"{listed}, and {cubes}"


def _tpu(text: str, device: Tpu, shape: tuple[int, ...]) -> DeviceTarget:
    if not _exists(device, shape):
        message = f"{device.name} has no slice {shape_text(shape)}: there are {slices(device)}"
        raise UsageError(
            message, hint=f"the nearest is {device.name}:{shape_text(_nearest_shape(device, shape))}"
        )
    options: dict[str, Any] = dict(device.options)
    if math.prod(shape) == 1:
        # libtpu 0.0.42.1 takes a host for 2x2 chips unless told otherwise, and refuses a single one
        options["chips_per_host_bounds"] = (1, 1, 1)
    count = math.prod(shape) * device.devices_per_chip
    return DeviceTarget(text, device, shape, count, f"{device.name}:{shape_text(shape)}", options)


def _exists(device: Tpu, shape: tuple[int, ...]) -> bool:
    return shape in device.shapes or (
        device.most_chips is not None
        and len(shape) == 3
        and all(size and size % CUBE == 0 for size in shape)
        and list(shape) == sorted(shape)
        and math.prod(shape) <= device.most_chips
    )


def _gpu(text: str, device: Gpu, shape: tuple[int, ...]) -> DeviceTarget:
    if len(shape) != 1 or not 1 <= shape[0] <= device.most:
        message = (
            f"{device.name} has no {shape_text(shape)}: its size is a number of GPUs, 1 to {device.most}"
        )
        raise UsageError(message, hint=_example(device))
    options = {"target_config": target_config(device), "topology": f"1x1x{shape[0]}"}
    return DeviceTarget(text, device, shape, shape[0], "", options)


def _example(device: Tpu | Gpu) -> str:
    size = shape_text(device.shapes[1]) if isinstance(device, Tpu) else str(device.most)
    return f"for example {device.name}, or {device.name}:{size}"


def _nearest(name: str) -> str:
    """Candidates, and where all names are listed."""
    plain = catalog.plain(name)
    close = difflib.get_close_matches(plain, catalog.BY_SPELLING, n=6, cutoff=0.5)
    known = list(dict.fromkeys(catalog.BY_SPELLING[one].name for one in close))[:3]
    said = f"did you mean {' or '.join(known)}? " if known else ""
    return f"{said}`jitinspect doctor` lists all devices"


def _nearest_shape(device: Tpu, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The same slice written in order, or else the listed one that is nearest in chips: a size may have been
    meant as a number of chips.
    """
    if _exists(device, ordered := tuple(sorted(shape))):
        return ordered
    chips = math.prod(shape)
    return min(device.shapes, key=lambda one: abs(math.prod(one) - chips))
