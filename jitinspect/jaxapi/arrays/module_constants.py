"""How a captured array gets into the module: read from the live StableHLO module.

By default JAX writes it into the module, once for each of its functions that uses it. With
`JAX_USE_SIMPLIFIED_JAXPR_CONSTANTS` in the environment it adds an argument instead, for all that is
larger than 32 bytes (`Lowered._lowering.const_args`). A mutable array is always one. Seen on jax 0.8.3 to
0.12.0.1.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import jax
import numpy as np
from jax._src.interpreters import mlir
from jax._src.lib.mlir import ir  # type: ignore[attr-defined]

from jitinspect.jaxapi.arrays.captured import MUTABLE, identity
from jitinspect.jaxapi.executables.aliasing import ADDED, main_attributes
from jitinspect.jaxapi.keys.computation import buffer

_MEASURED = 1 << 16
"""Literals up to this many bytes are printed to measure them; longer ones print as hexadecimal digits."""


class ModuleConstants:
    """The literals of a lowered module, and the arguments that JAX added to it."""

    def __init__(self, lowered: jax.stages.Lowered) -> None:
        module: Any = lowered.compiler_ir("stablehlo")
        self._context = module.context
        self._literals: Counter[Any] = Counter()
        module.operation.walk(self._note)
        added = getattr(getattr(lowered, "_lowering", None), "const_args", ())
        places = [
            at for at, attributes in enumerate(main_attributes(lowered, "arg_attrs")) if ADDED in attributes
        ]
        self._added = list(zip(places, map(identity, added), strict=False))

    def _note(self, operation: Any) -> Any:
        if operation.name == "stablehlo.constant":
            self._literals[_value(operation)] += 1
        return ir.WalkResult.ADVANCE

    def equal_literals(self, value: Any) -> int:
        """How many literals are equal to an array, whether it became them or not; 0 for a mutable one."""
        if isinstance(value, MUTABLE) or not hasattr(mlir, "ir_attribute"):
            return 0
        literal = self._literal(value)
        return self._literals[literal] or self._literals[str(literal)]

    def may_be_others(self, value: Any) -> bool:
        """Whether literals that are equal to it may stem from something else: several, or of one number."""
        count = self.equal_literals(value)
        return count > 1 or (count == 1 and bool(getattr(self._literal(value), "is_splat", True)))

    def enters(self, value: Any, count: int | None) -> str:
        """`literal, 32,799 chars`; `argument 0, added by JAX`; or that it is not in the module.

        `count` is how many literals it became, None if that is not known.
        """
        if isinstance(value, MUTABLE):
            return "argument, added by JAX, as it is mutable"
        key = identity(value)
        if places := [str(place) for place, added in self._added if added == key]:
            return f"argument{'s' if places[1:] else ''} {' and '.join(places)}, added by JAX"
        if not hasattr(mlir, "ir_attribute"):
            return "not known with this JAX"
        if count is None:
            return "literal, if at all: others are equal"
        if not count:
            return "not in the module"
        length = count * _characters(self._literal(value))
        return f"{'literal' if count == 1 else f'{count} literals'}, {length:,} chars"

    def _literal(self, value: Any) -> Any:
        """The array as an MLIR attribute; equal attributes are the same object."""
        if jax.numpy.issubdtype(value.dtype, jax.dtypes.extended):
            value = jax.random.key_data(value)
        with self._context, ir.Location.unknown(self._context):
            return mlir.ir_attribute(np.asarray(value))


def _value(constant: Any) -> Any:
    """The attribute, or its text where Python cannot read it, as with complex numbers."""
    try:
        return constant.attributes["value"]
    except TypeError:
        return constant.get_asm().partition("stablehlo.constant ")[2].strip()


def _characters(literal: Any) -> int:
    """The length of its text in the module: for many elements, two digits a byte."""
    try:
        size = 0 if literal.is_splat else buffer(literal).nbytes
    except (AttributeError, TypeError, ValueError, BufferError):
        size = 0
    return 2 * size if size > _MEASURED else len(str(literal))
