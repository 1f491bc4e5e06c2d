"""A function that stands for a module, so that JAX compiles the module.

`jax.jit(f).lower(…)` gives a `Lowered` whose `_lowering._hlo` is the module that `compile()` hands to XLA;
all else that it needs follows from the types of arguments and results, and where they lie. So a function of
the same ones is lowered, and its module replaced. What XLA makes of it is the same to the byte (seen on jax
0.10.2 and 0.12.0.1).

The function has one equation, which takes the arguments that the module has and gives its results. It is
never compiled.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from keyword import iskeyword
from typing import Any

import jax
import numpy as np
from jax._src.core import Primitive
from jax._src.core import physical_aval as _physical_aval
from jax._src.lib import xla_client as _xla_client  # type: ignore[attr-defined]
from jax._src.lib.mlir import ir  # type: ignore[attr-defined]
from jax._src.lib.mlir.dialects import hlo as _hlo  # type: ignore[attr-defined]
from jax._src.sharding_impls import GSPMDSharding
from jax.interpreters import mlir as _mlir

from jitinspect.errors import UnavailableError
from jitinspect.jaxapi.modules.given import GivenModule, Laid

_STANDS_FOR = Primitive("stands_for")
_STANDS_FOR.multiple_results = True
_STANDS_FOR.def_abstract_eval(lambda *_, results, name: list(results))
_TARGET = "jitinspect_stands_for"


def _lower(context: Any, *operands: Any, results: Any, name: str) -> Any:
    arrays = map(_physical_aval, context.avals_out)
    types = [ir.RankedTensorType.get(one.shape, _mlir.dtype_to_ir_type(one.dtype)) for one in arrays]
    return _hlo.CustomCallOp(types, operands, call_target_name=_TARGET).results


_mlir.register_lowering(_STANDS_FOR, _lower)


def stand_in(
    module: GivenModule,
    arguments: Mapping[str, Any],
    results: Any,
    kept: Sequence[int] | None = None,
    mesh: jax.sharding.Mesh | None = None,
) -> Callable[..., Any]:
    """A jitted function of the module's name. `arguments` are trees of types by name, as it will be called;
    `results` is a tree of the types of its results. Of the arguments' leaves the module has those that are
    `kept`, all if None. It runs on the devices of `mesh`; an argument is donated if the module has one of its
    leaves so.
    """
    leaves, tree = jax.tree.flatten(results)
    avals = tuple(jax.core.ShapedArray(one.shape, one.dtype, weak_type=one.weak_type) for one in leaves)

    def function(*args: Any, **kwargs: Any) -> Any:
        given = jax.tree.leaves((args, kwargs))
        taken = given if kept is None else [given[at] for at in kept]
        made = list(_STANDS_FOR.bind(*taken, results=avals, name=module.name))
        if made and mesh is not None:  # which says which devices it is for
            made[0] = jax.lax.with_sharding_constraint(made[0], _replicated(mesh))
        return jax.tree.unflatten(tree, made)

    function.__name__ = function.__qualname__ = module.name.removeprefix("jit_")
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    names = [name if _is_parameter(name) else f"arg{at}" for at, name in enumerate(arguments)]
    signature = inspect.Signature([inspect.Parameter(name, kind) for name in names])
    function.__signature__ = signature  # type: ignore[attr-defined]
    donated = _donated(module, arguments, kept)
    laid = [_sharding(one.laid, mesh) for one in module.results]
    placed = jax.tree.unflatten(tree, laid) if any(laid) else None
    return jax.jit(function, donate_argnums=donated, keep_unused=kept is None, out_shardings=placed)


def _is_parameter(name: str) -> bool:
    """Any text may be the key of a `**` parameter."""
    return name.isidentifier() and not iskeyword(name)


def types(
    module: GivenModule, known: Sequence[Any] | None = None, mesh: jax.sharding.Mesh | None = None
) -> list[jax.ShapeDtypeStruct]:
    """Those of the module's arguments, which lie on the `mesh` as it says; `known` are better ones, such as
    of random keys.
    """
    return [
        jax.ShapeDtypeStruct(
            aval.shape,
            aval.dtype,
            sharding=_sharding(one.laid, mesh),
            weak_type=getattr(aval, "weak_type", False),
        )
        for aval, one in zip(
            known or [_plain(one) for one in module.arguments], module.arguments, strict=True
        )
    ]


def result_types(module: GivenModule) -> list[jax.ShapeDtypeStruct]:
    return [_plain(one) for one in module.results]


def _plain(one: Any) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(one.shape, np.dtype(jax.numpy.dtype(one.dtype)))


def lowered_to(lowered: jax.stages.Lowered, module: Any) -> jax.stages.Lowered:
    """`lowered`, which stands for the module, with the module in it."""
    lowering: Any = getattr(lowered, "_lowering", None)
    if not hasattr(lowering, "_hlo"):
        raise UnavailableError("this JAX does not compile modules that were lowered elsewhere")
    lowering._hlo = module
    return lowered


def prepare_libraries(custom_calls: Sequence[str]) -> None:
    """What JAX does where it lowers a call of LAPACK: such a call ends the process otherwise."""
    if any(name.startswith("lapack_") for name in custom_calls):
        from jaxlib import lapack

        library: Any = lapack
        library._lapack.initialize()


def refusing(lowered: jax.stages.Lowered, error: Exception) -> jax.stages.Lowered:
    """`lowered`, whose compilation raises `error`."""

    def compile(*_: Any, **__: Any) -> Any:
        raise error

    lowering: Any = lowered._lowering
    lowering.compile = compile
    return lowered


def _donated(
    module: GivenModule, arguments: Mapping[str, Any], kept: Sequence[int] | None
) -> tuple[int, ...]:
    """The positions of those of whose leaves one is."""
    owners = [at for at, tree in enumerate(arguments.values()) for _ in jax.tree.leaves(tree)]
    leaves = range(len(owners)) if kept is None else kept
    flags = zip(leaves, module.arguments, strict=False)
    return tuple(sorted({owners[leaf] for leaf, one in flags if one.donated}))


def _replicated(mesh: jax.sharding.Mesh) -> jax.sharding.NamedSharding:
    return jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())


def _sharding(laid: Laid | None, mesh: jax.sharding.Mesh | None) -> Any:
    """On the devices of the mesh, by its axes or, where the module has none, by XLA's text."""
    if laid is None or mesh is None:
        return None
    if laid.text:
        return GSPMDSharding(tuple(mesh.devices.flat), _xla_client.HloSharding.from_string(laid.text))
    names = {axis for axes in laid.axes for axis in axes}
    if not names <= {*mesh.axis_names}:
        return None
    spec = [axes if len(axes) > 1 else (axes[0] if axes else None) for axes in laid.axes]
    while spec and spec[-1] is None:
        spec.pop()
    return jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(*spec))
