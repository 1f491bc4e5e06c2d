"""What a lowered computation consists of, so that of two with other digests one can tell what differs.

Read from the live StableHLO module, seen on jax 0.10.2 and 0.12.0.1.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import Any

import jax
from jax._src.lib.mlir import ir  # type: ignore[attr-defined]

SHOWN_ELEMENTS = 8
"""Constants of no more elements are told by their values, larger ones by a digest."""
LONGEST = 160

_NOISE = {"builtin.module", "func.func", "func.return", "stablehlo.return", "stablehlo.constant"}


def computation_inputs(
    traced: jax.stages.Traced, lowered: jax.stages.Lowered
) -> Mapping[str, dict[str, str]]:
    """`computation`: its name and results, donation and JAX's version; `constants` by their type, in
    the order of the program; `operations`: how many there are of each.
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
        "computation": _about(module, traced),
        "constants": {kind: short(", ".join(values)) for kind, values in constants.items()},
        "operations": {name: str(count) for name, count in operations.items() if name not in _NOISE},
    }


def short(text: str) -> str:
    """`text`, or where it is long its beginning and digest: still equal only where the whole is."""
    if len(text) <= LONGEST:
        return text
    return f"{text[: LONGEST // 2]}… sha256:{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _about(module: Any, traced: jax.stages.Traced) -> dict[str, str]:
    names = argument_names(traced)
    infos = jax.tree_util.tree_leaves(traced.args_info)
    donated = [name for name, info in zip(names, infos, strict=False) if getattr(info, "donated", False)]
    results = getattr(_debug_info(traced), "result_paths", None) or ()
    return {
        "jax": jax.__version__,
        "module": str(module.operation.attributes["sym_name"]).strip('"'),
        "donated": short(", ".join(donated)),
        "results": short(", ".join(map(str, results))),
    }


def argument_names(traced: jax.stages.Traced) -> tuple[str, ...]:
    """The path of each argument's leaf by parameter name (`params['w']`), or its place where JAX has none."""
    names = getattr(_debug_info(traced), "arg_names", None) or ()
    count = len(traced.jaxpr.in_avals)
    known = names if len(names) == count else (None,) * count
    return tuple(name or f"[{index}]" for index, name in enumerate(known))


def _debug_info(traced: jax.stages.Traced) -> Any:
    return getattr(traced.jaxpr.jaxpr, "debug_info", None)


def _value(constant: Any) -> str:
    """Few elements as they print, many by the digest of their bytes."""
    try:
        value = constant.attributes["value"]
        if value.is_splat or len(value) <= SHOWN_ELEMENTS:
            return str(value).removeprefix("dense<").rpartition("> :")[0]
        content = bytes(memoryview(value))
    except (AttributeError, TypeError, ValueError, BufferError):  # complex ones have no Python value
        content = constant.get_asm().encode()
    return f"sha256:{hashlib.sha256(content).hexdigest()[:12]}"
