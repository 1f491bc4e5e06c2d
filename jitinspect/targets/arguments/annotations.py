"""jaxtyping annotations → argument specs: `Float[Array, "batch 784"]` with `batch=128` is `f32[128,784]`.

jaxtyping is not imported: an annotation is recognised by its `dtypes` and `dim_str`
(documented attributes; seen on jaxtyping 0.3).
"""

from __future__ import annotations

import ast
import operator
import typing
from collections.abc import Mapping
from typing import Any

from jitinspect.specs import ArraySpec, KeySpec, short_dtype

PREFERRED = ("float32", "int32", "uint32", "bool", "complex64")
"""The default of each family of dtypes: what an annotation that allows many dtypes is taken to mean."""


def spec_of(annotation: Any, dims: Mapping[str, int]) -> ArraySpec | KeySpec | None:
    """The spec that an annotation asks for; None if it is not a jaxtyping one.

    Of a union, the first such member counts. Dimensions that are not in `dims` stay
    named; `*batch` and `...` count as no dimension, `#n` as `n`.
    """
    for member in [annotation, *typing.get_args(annotation)]:
        if isinstance(getattr(member, "dim_str", None), str) and hasattr(member, "dtypes"):
            return _spec(member, dims)
    return None


def _spec(annotation: Any, dims: Mapping[str, int]) -> ArraySpec | KeySpec:
    shape = tuple(
        _dimension(token, dims)
        for token in annotation.dim_str.split()
        if token != "..." and not token.startswith("*")
    )
    dtype = _dtype(annotation.dtypes)
    return KeySpec(None, shape, None) if dtype == "prng_key" else ArraySpec(short_dtype(dtype), shape)


def _dtype(dtypes: Any) -> str:
    """`dtypes` is a tuple of long names, or a marker for "any dtype"."""
    if not isinstance(dtypes, tuple):
        return "float32"
    return next((name for name in PREFERRED if name in dtypes), str(dtypes[0]))


def _dimension(token: str, dims: Mapping[str, int]) -> int | str:
    """One word of the annotation: `784`, `batch`, `#batch`, `name=784`, `n+1`."""
    expression = token.lstrip("#?").rpartition("=")[2]
    try:
        return _evaluate(ast.parse(expression, mode="eval").body, dims)
    except (KeyError, SyntaxError):
        return expression


_OPERATORS: dict[type[ast.operator], typing.Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
}


def _evaluate(node: ast.expr, dims: Mapping[str, int]) -> int:
    """Integer arithmetic over the named dimensions; `KeyError` for anything else."""
    match node:
        case ast.Constant(int(value)):
            return value
        case ast.Name(name):
            return dims[name]
        case ast.BinOp(left, kind, right):
            return _OPERATORS[type(kind)](_evaluate(left, dims), _evaluate(right, dims))
    raise KeyError(ast.unparse(node))
