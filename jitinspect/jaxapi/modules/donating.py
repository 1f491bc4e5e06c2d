"""A module with other arguments donated, or its results in another order, as JAX would have lowered it.

Which donated argument gets which result, JAX decides by types, shardings and layouts alone, and notes it in
the attributes of the arguments of `main`. So what it notes for a function of the same ones holds for the
module (jax 0.8.3 to 0.12.0.1).
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

import jax
from jax._src.lib.mlir import ir  # type: ignore[attr-defined]

from jitinspect.jaxapi.modules.given import DONATED, OF_HLO, main_of
from jitinspect.jaxapi.modules.stand_in import lowered_to


def donated_as(lowered: jax.stages.Lowered, module: Any, order: Sequence[int]) -> jax.stages.Lowered:
    """`lowered` is of a function that stands for the module; it gets a copy with its donations."""
    noted = main_of(lowered.compiler_ir("stablehlo")).attributes
    theirs = [_donation(one) for one in noted["arg_attrs"]] if "arg_attrs" in noted else []
    copy = _copy(module)
    main = main_of(copy)
    with copy.context:
        count = len(main.regions[0].blocks[0].arguments)
        own = list(main.attributes["arg_attrs"]) if "arg_attrs" in main.attributes else [{}] * count
        pairs = zip(own, theirs or [{}] * count, strict=True)
        kept = [{**_all_but_donation(mine), **other} for mine, other in pairs]
        if OF_HLO in copy.operation.attributes:  # which says it for the whole module
            copy.operation.attributes[OF_HLO] = ir.ArrayAttr.get([])
        main.attributes["arg_attrs"] = ir.ArrayAttr.get([_attributes(one) for one in kept])
        if order:
            _reorder(main, order)
    return lowered_to(lowered, copy)


def _copy(module: Any) -> Any:
    written = io.BytesIO()
    module.operation.write_bytecode(written)
    return ir.Module.parse(written.getvalue(), module.context)


def _donation(attributes: Any) -> dict[str, str]:
    """As text: the attributes are of another context."""
    return {name: str(one) for name, one in _named(attributes) if name in DONATED}


def _all_but_donation(attributes: Any) -> dict[str, Any]:
    return {name: one for name, one in _named(attributes) if name not in DONATED}


def _named(attributes: Any) -> Iterator[tuple[str, Any]]:
    named: Any = ir.DictAttr(attributes) if attributes else ()
    yield from ((one.name, one.attr) for one in named)


def _attributes(named: dict[str, Any]) -> Any:
    return ir.DictAttr.get(
        {name: ir.Attribute.parse(one) if isinstance(one, str) else one for name, one in named.items()}
    )


def _reorder(main: Any, order: Sequence[int]) -> None:
    block = main.regions[0].blocks[0]
    end = list(block.operations)[-1].operation
    operands = [end.operands[at] for at in order]
    for at, operand in enumerate(operands):
        end.operands[at] = operand
    kind: Any = ir.FunctionType(ir.TypeAttr(main.attributes["function_type"]).value)
    moved = ir.FunctionType.get(kind.inputs, [kind.results[at] for at in order])
    main.attributes["function_type"] = ir.TypeAttr.get(moved)
    if "res_attrs" in main.attributes:
        noted = list(main.attributes["res_attrs"])
        main.attributes["res_attrs"] = ir.ArrayAttr.get([noted[at] for at in order])
