"""Modules that were lowered elsewhere, compiled by JAX as if it had lowered them itself.

`jax.jit(f).lower(…)` gives a `Lowered` whose `_lowering._hlo` is the module that `compile()` hands to XLA;
all else that it needs follows from the types of arguments and results. So a function of the same types is
lowered, and its module replaced. What XLA makes of it is the same to the byte (seen on jax 0.10.2 and
0.12.0.1).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax._src.interpreters import mlir as _mlir
from jax._src.lib.mlir import ir  # type: ignore[attr-defined]

from jitinspect.errors import UnavailableError

_DTYPES = {"i1": "bool", "bf16": "bfloat16", "complex<f32>": "complex64", "complex<f64>": "complex128"}
_KINDS = {"f": "float", "i": "int", "ui": "uint", "si": "int"}
_NUMBER = re.compile(r"(ui|si|i|f)(\d+)(E\w+)?")
_NAMED = re.compile(r'loc\("(.*?)"')


class GivenArray(NamedTuple):
    """An argument or result of a module. `name` is its path in Python, `params['w']`, if that is told."""

    shape: tuple[int, ...]
    dtype: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class GivenModule:
    """A parsed module: `name` as XLA has it, `jit_step`; `devices` is how many it is partitioned for."""

    module: Any
    name: str
    arguments: tuple[GivenArray, ...]
    results: tuple[GivenArray, ...]
    devices: int = 1


def parse(content: str | bytes) -> GivenModule:
    """A StableHLO module, as text or bytecode. Raises `ValueError` for what MLIR does not parse, or what has
    no main function of arrays.
    """
    with _mlir.make_ir_context():
        try:
            module: Any = ir.Module.parse(content)
        except Exception as error:  # MLIRError, with all that the parser says
            raise ValueError(str(error).strip()) from None
        operation = module.operation
        main = _main(module)
        kind: Any = ir.FunctionType(ir.TypeAttr(main.attributes["function_type"]).value)
        arguments = main.regions[0].blocks[0].arguments
        return GivenModule(
            module,
            _text(operation, "sym_name") or "module",
            tuple(_array(one.type, one.location) for one in arguments),
            tuple(_array(one) for one in kind.results),
            _number(operation, "mhlo.num_partitions") * _number(operation, "mhlo.num_replicas"),
        )


def stand_in(given: GivenModule) -> Callable[..., Any]:
    """A jitted function whose arguments and results have the module's types, and which has its name."""

    def function(*args: Any) -> Any:
        return tuple(jnp.zeros(one.shape, one.dtype) for one in given.results)

    function.__name__ = function.__qualname__ = given.name.removeprefix("jit_")
    return jax.jit(function, keep_unused=True)


def lowered_to(lowered: jax.stages.Lowered, given: GivenModule) -> jax.stages.Lowered:
    """`lowered`, which stands for the module, with the module in it."""
    lowering: Any = getattr(lowered, "_lowering", None)
    if not hasattr(lowering, "_hlo"):
        raise UnavailableError("this JAX does not compile modules that were lowered elsewhere")
    lowering._hlo = given.module
    return lowered


def _main(module: Any) -> Any:
    for operation in module.body.operations:
        if _text(operation, "sym_name") == "main" and "function_type" in operation.attributes:
            return operation
    raise ValueError("the module has no function @main")


def _text(operation: Any, name: str) -> str | None:
    attributes = operation.attributes
    return ir.StringAttr(attributes[name]).value if name in attributes else None


def _number(operation: Any, name: str) -> int:
    attributes = operation.attributes
    return int(ir.IntegerAttr(attributes[name]).value) if name in attributes else 1


def _array(kind: Any, location: Any = None) -> GivenArray:
    try:
        tensor: Any = ir.RankedTensorType(kind)
    except (TypeError, ValueError):
        raise ValueError(f"@main has a value of type {kind}, which is no array") from None
    if not tensor.has_static_shape:
        raise ValueError(f"@main has a value of type {kind}, whose shape is not static")
    named = _NAMED.match(str(location)) if location is not None else None
    return GivenArray(tuple(tensor.shape), _dtype(str(tensor.element_type)), named and named[1])


def _dtype(text: str) -> str:
    """`float32` for MLIR's `f32`; `float8_e4m3fn` for `f8E4M3FN`."""
    if text in _DTYPES:
        return _DTYPES[text]
    if (found := _NUMBER.fullmatch(text)) is None:
        raise ValueError(f"@main has an array of {text}, which is no dtype of JAX")
    kind, bits, form = found.groups()
    return f"{_KINDS[kind]}{bits}" + (f"_{form.lower()}" if form else "")
