"""Who asked for a collective: the program, by a primitive such as `psum`, or XLA's partitioner."""

from __future__ import annotations

import re
from typing import NamedTuple

from jitinspect.ir.op_names import primitives
from jitinspect.model.communication import AskedBy

PRIMITIVES = (
    "all_gather", "all_gather_invariant", "all_gather_reduced", "all_to_all", "pbroadcast", "pgather", "pmax",
    "pmin", "ppermute", "precv", "psend", "psum", "psum2", "psum_invariant", "psum_scatter",
    "ragged_all_to_all", "reduce_scatter", "unreduced_psum", "unreduced_reduce_scatter",
)  # fmt: skip
"""The primitives of JAX that are collectives, as jaxprs and `op_name` call them (jax 0.8.3 to 0.12.0.1)."""

SCATTERING = ("psum_scatter", "reduce_scatter")
"""Those of them that sum all, and leave each device a part."""

_CUSTOM = "custom_partitioning"
"""The primitive, in metadata, of all that a custom partition calls (jaxlib 0.10.2 to 0.12.0.1)."""
_NAME = re.compile(r"^\s*(?:ROOT )?%?([a-z_]+)")
"""How the name of an instruction begins: with the primitive, if it keeps the one that JAX gave it."""
_GENERATED = 'is_spmd_generated="true"'
"""What the partitioner of jaxlib 0.12.0.1 marks its own collectives with."""


class Asked(NamedTuple):
    """Who asked, and the primitive that it was for; "" if it is for an argument, or not known."""

    by: AskedBy
    primitive: str


def asked(line: str) -> Asked:
    """By the metadata of a collective, in JAX's own text."""
    made_for = list(primitives(line))
    named = _NAME.findall(line) if made_for == [_CUSTOM] else made_for
    own = next((name for name in named if name in PRIMITIVES), None)
    if own and _GENERATED not in line:
        return Asked("user", own)
    return Asked("partitioner", made_for[0] if made_for else "")
