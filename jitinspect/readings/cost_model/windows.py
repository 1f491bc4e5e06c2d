"""A convolution's window: how many products it computes, without those that fall into the padding."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

_WINDOW = re.compile(r"window=\{([^}]*)\}")
_LABELS = re.compile(r"dim_labels=(\w+)_(\w+)->(\w+)")
_GROUPS = re.compile(r"(feature|batch)_group_count=(\d+)")


@dataclass(frozen=True, slots=True)
class Axis:
    """The window along one spatial dimension; `base` dilates the input, `dilation` the window."""

    size: int
    stride: int = 1
    low: int = 0
    base: int = 1
    dilation: int = 1

    def positions(self, inputs: int, outputs: int) -> int:
        """How many pairs of a window element and an input element there are, over all outputs."""
        return sum(self._hits(tap * self.dilation - self.low, inputs, outputs) for tap in range(self.size))

    def _hits(self, offset: int, inputs: int, outputs: int) -> int:
        """How many outputs `o` have an input element, not a dilation gap, at `o * stride + offset`."""
        first = max(0, -(offset // self.stride))
        last = min(outputs, ((inputs - 1) * self.base - offset) // self.stride + 1)
        starts = range(first, min(first + self.base, last))
        hits = (start for start in starts if (start * self.stride + offset) % self.base == 0)
        return sum(len(range(start, last, self.base)) for start in hits)


def axes(rest: str) -> list[Axis]:
    """The axes of the `window={…}` among the attributes; none if there is no window, as for 0-d ones."""
    found = _WINDOW.search(rest)
    parts = dict(re.findall(r"(\w+)=(\S+)", found[1])) if found else {}
    sizes = _numbers(parts.get("size", ""))
    lows = [int(part.split("_")[0]) for part in parts["pad"].split("x")] if "pad" in parts else None
    columns = (
        _numbers(parts["stride"]) if "stride" in parts else None,
        lows,
        _numbers(parts["lhs_dilate"]) if "lhs_dilate" in parts else None,
        _numbers(parts["rhs_dilate"]) if "rhs_dilate" in parts else None,
    )
    defaults = (1, 0, 1, 1)
    filled = [column or [default] * len(sizes) for column, default in zip(columns, defaults, strict=True)]
    return [Axis(*numbers) for numbers in zip(sizes, *filled, strict=True)]


def products(rest: str, lhs: Sequence[int], rhs: Sequence[int], out: Sequence[int]) -> int:
    """The multiplications of a convolution, from the sizes of its operands and its result."""
    labels = _LABELS.search(rest)
    if labels is None:
        return 0
    of_lhs, of_rhs, of_out = (
        dict(zip(names, sizes, strict=True))
        for names, sizes in zip(labels.groups(), (lhs, rhs, out), strict=True)
    )
    groups = {name: int(number) for name, number in _GROUPS.findall(rest)}
    valid = prod(axis.positions(of_lhs[str(i)], of_out[str(i)]) for i, axis in enumerate(axes(rest)))
    batches = of_lhs["b"] // groups.get("batch", 1)
    features = of_lhs["f"] // groups.get("feature", 1)
    return int(batches * features * of_rhs["o"] * valid)


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split("x")] if text else []
