"""Files of `jax.export`: what they hold, and the module that one call of it is.

The module of an exported function takes, before its arguments, an index of the platform if it is for several
(`jax.global_constant = "_platform_index"`), and has dynamic shapes if it was exported with symbolic ones. JAX
makes both static where it calls it; so does this, on the module itself. `mlir_module_serialized` is a
portable artifact. Seen on jax 0.8.3 to 0.12.0.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import export as _export
from jax._src.core import physical_aval as _physical_aval
from jax._src.export import _export as _private
from jax._src.interpreters import mlir as _mlir
from jax._src.lib.mlir import ir  # type: ignore[attr-defined]
from jax._src.lib.mlir.dialects import hlo as _hlo  # type: ignore[attr-defined]

from jitinspect.errors import CompileError, UnavailableError, UsageError, first_line
from jitinspect.jaxapi.modules.given import main_of
from jitinspect.jaxapi.modules.parsing import mlir_module, producer

WITHOUT_FLATBUFFERS = "pip install flatbuffers, which jax.export needs"
_UNREGISTERED = re.compile(r"register(?:ed|_pytree_node_serialization)|[Cc]annot deserialize a PyTreeDef")
Call = tuple[tuple[Any, ...], Mapping[str, Any]]
_OF_MANY = re.compile(r"(\w+)\[\d+\]")
_PLATFORM = "_platform_index"


def deserialized(content: bytes) -> _export.Exported:
    """Raises `ValueError` for bytes that are no exported function, and `UnavailableError` for one that this
    JAX does not read, or if it reads none.
    """
    try:
        return _export.deserialize(bytearray(content))
    except ImportError:
        raise UnavailableError("exported functions cannot be read", hint=WITHOUT_FLATBUFFERS) from None
    except Exception as error:  # of any kind where bytes are damaged
        message = first_line(error)
    if "backward-compatibility window" in message:
        told = message.split(" See ")[0].replace("anymore.The", "anymore. The")
        raise UnavailableError(told, hint="export it again, or use the JAX that wrote it")
    if _UNREGISTERED.search(message):
        raise UnavailableError(
            f"its arguments or results are of a type that only its own program registers: {message}",
            hint="its MLIR can be read: write `exported.mlir_module()` to a file",
        )
    raise ValueError("it is cut off, or its bytes were changed")


class Form(NamedTuple):
    """The version of the file's form, the JAX that wrote it, if that is told, and the StableHLO of its
    module.
    """

    schema: int
    jax: str | None
    stablehlo: str


SUPPORTED = (
    _export.minimum_supported_calling_convention_version,
    _export.maximum_supported_calling_convention_version,
)
"""The least and the greatest version of the calling convention that this JAX knows."""


def serialized(jit: Any, call: Call, platforms: Sequence[str], unchecked: Sequence[str]) -> bytes:
    """The file of an exported call of `jit`; for JAX's default platform if none is named.

    Raises `UnavailableError` without flatbuffers, and for what cannot be exported, `CompileError` if it
    cannot be lowered.
    """
    checks = [_export.DisabledSafetyCheck.custom_call(name) for name in unchecked]
    args, kwargs = call
    try:
        made = _export.export(jit, platforms=tuple(platforms) or None, disabled_checks=checks)(
            *args, **kwargs
        )
        return bytes(made.serialize())
    except ImportError:
        raise UnavailableError("exported functions cannot be written", hint=WITHOUT_FLATBUFFERS) from None
    except (ValueError, NotImplementedError, TypeError) as error:
        raise _not_exported(str(error)) from error
    except Exception as error:
        raise CompileError(f"lowering failed: {first_line(error)}") from error


def _not_exported(message: str) -> UnavailableError:
    first = message.strip().split("\n")[0]
    if names := re.findall(r"custom_call @([\w.]+)", message):
        told = f"JAX does not promise that it goes on to support {', '.join(dict.fromkeys(names))}"
        return UnavailableError(f"it cannot be exported: {told}", hint=f"--disable-check {names[0]}")
    return UnavailableError(f"it cannot be exported: {first.partition(' See ')[0]}")


def form_of(content: bytes, exported: _export.Exported) -> Form:
    from jax._src.export import serialization_generated

    table: Any = serialization_generated.Exported.GetRootAs(content)
    jax_version = getattr(table, "JaxVersion", lambda: None)()  # from 0.12 on
    return Form(
        table.SerializationVersion(),
        jax_version.decode() if jax_version else None,
        producer(bytes(exported.mlir_module_serialized)),
    )


def is_stable(custom_call: str) -> bool:
    """Whether JAX promises that it goes on to work: `_CUSTOM_CALL_TARGETS_GUARANTEED_STABLE`."""
    return custom_call in getattr(_private, "_CUSTOM_CALL_TARGETS_GUARANTEED_STABLE", ())


def paths_in(exported: _export.Exported) -> list[str]:
    """Those of the arguments' leaves, where no names are known: `args[0]['w']`, `y`."""
    tree: Any = exported.in_tree
    args, kwargs = jax.tree.unflatten(tree, range(tree.num_leaves))
    keystr = jax.tree_util.keystr
    by_position = [f"args{keystr(path)}" for path, _ in jax.tree_util.tree_leaves_with_path(args)]
    by_name = (
        f"{name}{keystr(path)}"
        for name in sorted(kwargs)
        for path, _ in jax.tree_util.tree_leaves_with_path(kwargs[name])
    )
    return [*by_position, *by_name]


def paths_out(exported: _export.Exported) -> list[str]:
    out_tree: Any = exported.out_tree
    tree = jax.tree.unflatten(out_tree, range(out_tree.num_leaves))
    return [f"result{jax.tree_util.keystr(path)}" for path, _ in jax.tree_util.tree_leaves_with_path(tree)]


def dims_of(exported: _export.Exported) -> tuple[str, ...]:
    """The names of its symbolic dimensions, in the order of the arguments."""
    sizes = (size for aval in exported.in_avals for size in aval.shape if _export.is_symbolic_dim(size))
    return tuple(dict.fromkeys(name for size in sizes for name in sorted(size._get_vars())))


def module_of(exported: _export.Exported) -> Any:
    """A new copy of its module, as it was written. Raises as `parsing.mlir_module`."""
    return mlir_module(bytes(exported.mlir_module_serialized))


def in_types(exported: _export.Exported, dims: Mapping[str, int]) -> list[jax.ShapeDtypeStruct]:
    """The types of its arguments' leaves, with these sizes."""
    return [_type(aval, dims) for aval in exported.in_avals]


def results(exported: _export.Exported, dims: Mapping[str, int]) -> Any:
    """The types of its results, in their tree."""
    return jax.tree.unflatten(exported.out_tree, [_type(aval, dims) for aval in exported.out_avals])


def _type(aval: Any, dims: Mapping[str, Any]) -> jax.ShapeDtypeStruct:
    shape = [size._evaluate(dict(dims)) if _export.is_symbolic_dim(size) else size for size in aval.shape]
    return jax.ShapeDtypeStruct(
        tuple(map(int, shape)), aval.dtype, weak_type=getattr(aval, "weak_type", False)
    )


def arguments(
    exported: _export.Exported, kept: Sequence[int], names: Sequence[str | None], leaves: Sequence[Any]
) -> dict[str, Any]:
    """The trees of the arguments, by name. `names` are the paths of the leaves that are `kept`, which tell
    how the parameters were called; the tree alone does not.
    """
    args, kwargs = jax.tree.unflatten(exported.in_tree, leaves)
    path_of = dict(zip(kept, names, strict=True))
    made: dict[str, Any] = {}
    rest: dict[str, list[Any]] = {}
    first = 0
    for at, tree in enumerate(args):
        below = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(tree)]
        root, is_one_of_many = _root([path_of.get(first + leaf) for leaf in range(len(below))], below)
        first += len(below)
        if root is None or root in made:
            made[f"arg{at}"] = tree
        elif is_one_of_many:
            rest.setdefault(root, []).append(tree)
        else:
            made[root] = tree
    return {**made, **{name: tuple(trees) for name, trees in rest.items()}, **kwargs}


def _root(paths: Sequence[str | None], below: Sequence[str]) -> tuple[str | None, bool]:
    """The name of a parameter of which these are the leaves, and whether it is `*name`; `x`, `rest[0]`."""
    for path, suffix in zip(paths, below, strict=True):
        if path and path.endswith(suffix):
            name = path.removesuffix(suffix) if suffix else path
            if name.isidentifier():
                return name, False
            if found := _OF_MANY.fullmatch(name):
                return found[1], True
    return None, False


def platform_here() -> str:
    """What JAX would export for: cpu, cuda, rocm or tpu."""
    return _export.default_export_platform()


def specialized(exported: _export.Exported, types: Sequence[Any], platform: int) -> Any:
    """Its module for arguments of these types, and for a platform by its index.

    Raises `UsageError` for sizes that break what the export asserts of them.
    """
    module = module_of(exported)
    main = main_of(module)
    with module.context, ir.Location.unknown(module.context):
        block = main.regions[0].blocks[0]
        _fix_platform(main, block, platform)
        arrays = [one for one in block.arguments if _is_array(one.type)]
        is_dynamic = not all(ir.RankedTensorType(one.type).has_static_shape for one in arrays)
        for argument, aval in zip(arrays, types, strict=True):
            _fix_shape(block, argument, _physical_shape(aval))
        _retyped(main, block)
        if not is_dynamic:
            return module
        try:
            return _mlir.refine_polymorphic_shapes(module)
        except Exception as error:  # JaxRuntimeError, ValueError
            raise _refused(str(error)) from None


def _is_array(kind: Any) -> bool:
    return str(kind).startswith("tensor<")


def _physical_shape(aval: Any) -> tuple[int, ...]:
    """That of a random key has the words of the key, too."""
    return tuple(_physical_aval(jax.core.ShapedArray(aval.shape, aval.dtype)).shape)


def _fix_platform(main: Any, block: Any, platform: int) -> None:
    """A constant in place of the argument that is the index."""
    if "arg_attrs" not in main.attributes:
        return
    noted = list(main.attributes["arg_attrs"])
    at = next((at for at, own in enumerate(noted) if _PLATFORM in str(own)), None)
    if at is None:
        return
    argument = block.arguments[at]
    dtype = np.int64 if "i64" in str(argument.type) else np.int32
    with ir.InsertionPoint.at_block_begin(block):
        number: Any = np.asarray(platform, dtype)
        index = _hlo.constant(ir.DenseElementsAttr.get(number))
    argument.replace_all_uses_with(index)
    block.erase_argument(at)
    main.attributes["arg_attrs"] = ir.ArrayAttr.get(noted[:at] + noted[at + 1 :])


def _fix_shape(block: Any, argument: Any, shape: tuple[int, ...]) -> None:
    """The argument is of this shape; its uses still see the dynamic one, until that is refined."""
    before: Any = ir.RankedTensorType(argument.type)
    if before.has_static_shape:
        return
    argument.set_type(ir.RankedTensorType.get(shape, before.element_type))
    with ir.InsertionPoint.at_block_begin(block):
        dynamic = _hlo.ConvertOp(before, argument)
    argument.replace_all_uses_except(dynamic.result, dynamic.operation)


def _retyped(main: Any, block: Any) -> None:
    results = ir.FunctionType(ir.TypeAttr(main.attributes["function_type"]).value).results
    kind = ir.FunctionType.get([one.type for one in block.arguments], results)
    main.attributes["function_type"] = ir.TypeAttr.get(kind)


def _refused(message: str) -> UsageError:
    """What it asserts of sizes, `Expected 'b' to be greater or equal to 1, but found 0`, goes to stderr with
    some versions of JAX.
    """
    told = re.search(r"(Expected [^\n]*|Division had remainder [^\n]*)", message)
    why = f": {told[1].strip()}" if told else ""
    return UsageError(
        f"the exported function does not take these sizes{why}", hint="-v shows what it asserts"
    )
