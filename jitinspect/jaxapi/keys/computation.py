"""What a lowered computation consists of, to see what differs between two with different digests.

Read from the live StableHLO module, seen on jax 0.8.3 to 0.12.0.1.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import jax
from jax._src.lib.mlir import ir  # type: ignore[attr-defined]

SHOWN_ELEMENTS = 8
"""Constants of up to this many elements are shown by value, larger ones by a digest."""
LONGEST = 160

_BUFFERED = re.compile(r"f16|f32|f64|[us]?i(1|8|16|32|64)")
_NOISE = {"builtin.module", "func.func", "func.return", "stablehlo.return", "stablehlo.constant"}


def computation_inputs(
    traced: jax.stages.Traced, lowered: jax.stages.Lowered, names: Sequence[str]
) -> Mapping[str, dict[str, str]]:
    """`computation`: its name and results, donation and JAX's version; `constants` by type, in program
    order; `operations`: how many there are of each. `names` are the names of the arguments.
    """
    module: Any = lowered.compiler_ir("stablehlo")
    constants: dict[str, list[str]] = {}
    operations: Counter[str] = Counter()

    def visit(operation: Any) -> Any:
        operations[operation.name] += 1
        if operation.name == "stablehlo.constant":
            constants.setdefault(str(operation.results[0].type), []).append(_value(operation))
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    return {
        "computation": _about(module, traced, names),
        "constants": {kind: short(", ".join(values)) for kind, values in constants.items()},
        "operations": {name: str(count) for name, count in operations.items() if name not in _NOISE},
    }


def serialized_hlo(lowered: jax.stages.Lowered) -> bytes | None:
    """The module that XLA is given, as an `HloModuleProto`; None if this JAX does not show it."""
    try:
        module: Any = lowered.compiler_ir("hlo")
        return bytes(module.as_serialized_hlo_module_proto())
    except (AttributeError, RuntimeError, ValueError, NotImplementedError):
        return None


def buffer(literal: Any) -> memoryview:
    """The elements of an MLIR attribute. Raises TypeError or BufferError for dtypes that Python's buffers do
    not have: asked for those, jaxlib 0.8.0 ends the process.
    """
    if not _BUFFERED.fullmatch(str(literal.type.element_type)):
        raise TypeError(f"no buffer for {literal.type.element_type}")
    return memoryview(literal)


def short(text: str) -> str:
    """`text`, or if it is long its beginning and a digest: equal only if the full texts are equal."""
    if len(text) <= LONGEST:
        return text
    return f"{text[: LONGEST // 2]}… sha256:{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def module_name(module: Any) -> str:
    """The name itself; printing the module would escape non-ASCII characters."""
    return str(module.operation.attributes["sym_name"].value)


def _about(module: Any, traced: jax.stages.Traced, names: Sequence[str]) -> dict[str, str]:
    infos = jax.tree_util.tree_leaves(traced.args_info)
    donated = [name for name, info in zip(names, infos, strict=False) if getattr(info, "donated", False)]
    results = getattr(debug_info(traced), "result_paths", None) or ()
    return {
        "jax": jax.__version__,
        "module": module_name(module),
        "donated": short(", ".join(donated)),
        "results": short(", ".join(map(str, results))),
    }


def debug_info(traced: jax.stages.Traced) -> Any:
    """JAX's own names for arguments and results; None if it has none."""
    return getattr(traced.jaxpr.jaxpr, "debug_info", None)


def _value(constant: Any) -> str:
    """A few elements as they print, many as a digest of their bytes."""
    try:
        value = constant.attributes["value"]
        if value.is_splat or len(value) <= SHOWN_ELEMENTS:
            return str(value).removeprefix("dense<").rpartition("> :")[0]
        content = bytes(buffer(value))
    except (AttributeError, TypeError, ValueError, BufferError):  # complex constants have no Python value
        content = constant.get_asm().encode()
    return f"sha256:{hashlib.sha256(content).hexdigest()[:12]}"
