"""All devices that can be targets, by their short names."""

from __future__ import annotations

import re

from jitinspect.devices.facts import Gpu, Tpu
from jitinspect.devices.gpus import GPUS
from jitinspect.devices.tpus import TPUS

DEVICES: dict[str, Tpu | Gpu] = {device.name: device for device in (*TPUS, *GPUS)}
"""In the order in which they are listed: platform by platform, old to new."""


def find(name: str) -> Tpu | Gpu | None:
    """The device of that name, in whatever spelling: `v5e`, `V5E`, `TPU v5e`, `TPU v5 lite`, `h100`."""
    return BY_SPELLING.get(plain(name))


def plain(name: str) -> str:
    """The name without case, spaces, dashes and the maker's name, which is not part of a short name."""
    return re.sub(r"^(tpu|nvidia|tesla)(?=.)", "", re.sub(r"[\s_-]", "", name.casefold()))


BY_SPELLING = {
    plain(spelling): device
    for device in DEVICES.values()
    for spelling in (device.name, *device.aliases, device.kind)
    if spelling != "TPU v5"  # what JAX calls a v5p; a reader may as well mean v5e
}
"""All names, aliases and kinds of devices, as `plain` writes them."""
