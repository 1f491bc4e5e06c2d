"""Which argument's buffer each output reuses, according to the compiled module.

A module's parameters are tokens, constants that JAX adds, the arguments that are used, and mutable arrays
that the function closes over, in this order; its results are tokens, the function's own, and those mutable
arrays. Seen on jax 0.8.3 to 0.12.0.1.
"""

from __future__ import annotations

import copy
import math
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax

from jitinspect.errors import UnavailableError, first_line
from jitinspect.jaxapi.executables.dumps import persistent_cache_off, platforms

_HEADER = re.compile(r"input_output_alias=\{(.*?\)) \}")
_ALIAS = re.compile(r"\{([\d,]*)\}: \((\d+), \{([\d,]*)\}")
"""An output's index, a parameter's number, and if the parameters are one tuple, the index in it."""
_TOKEN, ADDED = "jax.token", "jax.const"


@dataclass(frozen=True, slots=True)
class Buffer:
    """An argument or an output: `bytes` are for one device, `sharding` and `layout` are XLA's choice, or None
    for an argument that is not used.
    """

    aval: Any
    bytes: int
    sharding: Any
    layout: Any

    def same_sharding(self, other: Buffer) -> bool:
        """Whether both are split the same way over the same devices; True if that is not known."""
        if self.sharding is None or other.sharding is None:
            return True
        return bool(self.sharding.is_equivalent_to(other.sharding, len(self.aval.shape)))


def aliases(lowered: jax.stages.Lowered, compiled: jax.stages.Compiled) -> dict[int, int]:
    """Leaf of the arguments → the output that gets its buffer, by their indices.

    From the header of the compiled HLO. Raises `UnavailableError` if that, or which arguments were dropped,
    is not available.
    """
    text = compiled.as_text()
    if text is None:
        raise UnavailableError("this backend does not print its compiled HLO")
    leaves, tokens = leaves_of_parameters(lowered), tokens_returned(lowered)
    pairs = ((leaves.get(parameter), output - tokens) for parameter, output in _pairs(text))
    return {leaf: output for leaf, output in pairs if leaf is not None}


def _pairs(text: str) -> Iterator[tuple[int, int]]:
    """Parameter and output, as the header of the module's `text` pairs them."""
    header = _HEADER.search(text[: text.find("\n")])
    for output, parameter, within in _ALIAS.findall(header[1]) if header else ():
        yield int(within or parameter), int(output or 0)


def kept(lowered: jax.stages.Lowered) -> list[int]:
    """The leaves that the module has parameters for, in their order: others were dropped as unused.

    `Lowered._lowering`: `compile_args["kept_var_idx"]` also counts the constants that JAX adds first.
    """
    lowering = getattr(lowered, "_lowering", None)
    indices = getattr(lowering, "compile_args", {}).get("kept_var_idx")
    if indices is None:
        raise UnavailableError("this JAX does not report which arguments it dropped as unused")
    added = len(getattr(lowering, "const_args", ()))
    return [index - added for index in sorted(indices) if index >= added]


def leaves_of_parameters(lowered: jax.stages.Lowered) -> dict[int, int]:
    """Number of a parameter of the module → the leaf that it is."""
    attributes = main_attributes(lowered, "arg_attrs")
    first = sum(_TOKEN in argument or ADDED in argument for argument in attributes)
    return {first + place: leaf for place, leaf in enumerate(kept(lowered))}


def tokens_returned(lowered: jax.stages.Lowered) -> int:
    """How many of the module's results come before the function's own."""
    return sum(_TOKEN in result for result in main_attributes(lowered, "res_attrs"))


def main_attributes(lowered: jax.stages.Lowered, kind: str) -> list[Any]:
    """The attributes of the main function's arguments or results; MLIR has none where all are empty."""
    module: Any = lowered.compiler_ir("stablehlo")
    main = next(operation for operation in module.body.operations if _symbol(operation) == "main")
    return list(main.attributes[kind]) if kind in main.attributes else []


def _symbol(operation: Any) -> str | None:
    known = "sym_name" in operation.attributes
    return operation.attributes["sym_name"].value if known else None


def aliased_bytes(compiled: jax.stages.Compiled) -> int | None:
    """XLA's own sum, for one device; None where it gives none."""
    analysis = compiled.memory_analysis()
    return getattr(analysis, "alias_size_in_bytes", None)


def arguments(traced: jax.stages.Traced, compiled: jax.stages.Compiled) -> list[Buffer]:
    """Each leaf of the arguments, in JAX's order."""
    shardings, layouts = _placed(compiled.in_tree, compiled, "input")
    return _buffers(traced.jaxpr.in_avals, shardings, layouts, asked(traced))


def asked(traced: jax.stages.Traced) -> list[Any]:
    """The sharding that each leaf of the arguments was given; None where it has none, or JAX tells none."""
    count = len(traced.jaxpr.in_avals)
    given = [getattr(meta, "sharding", None) for meta in getattr(traced, "_meta_tys_flat", ())]
    return given if len(given) == count else [None] * count


def results(traced: jax.stages.Traced, compiled: jax.stages.Compiled) -> list[Buffer]:
    """Each output, in JAX's order."""
    shardings, layouts = _placed(compiled.out_tree, compiled, "output")
    return _buffers(traced.jaxpr.out_avals, shardings, layouts, [None] * len(shardings))


def _placed(tree: Any, compiled: jax.stages.Compiled, which: str) -> tuple[list[Any], list[Any]]:
    """Shardings and layouts, in JAX's order; None for each if JAX fails to give them, as it does with
    closed-over mutable arrays and, for layouts, with ordered effects (0.10.2).
    """
    shardings = _flattened(tree, compiled, f"{which}_shardings")
    formats = _flattened(tree, compiled, f"{which}_formats")
    return shardings, [getattr(format_, "layout", None) for format_ in formats]


def _flattened(tree: Any, compiled: jax.stages.Compiled, what: str) -> list[Any]:
    try:
        return list(tree.flatten_up_to(getattr(compiled, what)))
    except (AssertionError, AttributeError, NotImplementedError, ValueError):
        return [None] * int(tree.num_leaves)


def _buffers(avals: Any, shardings: list[Any], layouts: list[Any], asked: list[Any]) -> list[Buffer]:
    """`asked` are the shardings to use for dropped arguments."""
    return [
        Buffer(aval, _bytes(aval, sharding or wanted), sharding, layout)
        for aval, sharding, layout, wanted in zip(avals, shardings, layouts, asked, strict=True)
    ]


def _bytes(aval: Any, sharding: Any) -> int:
    shape = sharding.shard_shape(aval.shape) if isinstance(sharding, jax.sharding.Sharding) else aval.shape
    return math.prod(shape) * int(aval.dtype.itemsize)


def donated(traced: jax.stages.Traced) -> list[bool]:
    """For each leaf, whether the jit donates it."""
    return [bool(info.donated) for info in jax.tree_util.tree_leaves(traced.args_info)]


def recompiled(
    traced: jax.stages.Traced,
    donated: Sequence[bool],
    order: Sequence[int] = (),
    known: jax.stages.Lowered | None = None,
    become: Callable[[jax.stages.Lowered], jax.stages.Lowered] = lambda lowered: lowered,
) -> tuple[jax.stages.Lowered, jax.stages.Compiled] | None:
    """The same function, compiled once more with other leaves donated, its outputs in another `order`; what
    is compiled is what `become` makes of the lowering, and is not meant to run: its machine code may be slow.
    None, with nothing compiled, if that is `known` again, the lowering with its own donations: JAX leaves out
    those that no output has a use for.

    Nothing is written to the on-disk cache, and a copy of `traced` is lowered (its `_params` hold what is
    donated, the jaxpr, and where outputs go), so nothing is traced again. Raises `UnavailableError` if JAX
    keeps them elsewhere, or compilation fails.
    """
    params: Mapping[str, Any] = getattr(traced, "_params", {})
    if not {"donated_invars", *_OF_OUTPUTS} <= params.keys():
        raise UnavailableError("this JAX does not compile a function with other arguments donated")
    copied: Any = copy.copy(traced)
    copied._params = {**params, **_reordered(params, order), "donated_invars": tuple(donated)}
    copied._lojax = None  # made from the others
    with persistent_cache_off(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "Some donated buffers were not usable": that is the question
        try:
            lowered = become(copied.lower())
            if known is not None and not order and _donations(lowered) == _donations(known):
                return None
            return lowered, lowered.compile(compiler_options=_cheapest(lowered) or None)
        except Exception as error:
            told = f"with other arguments donated it does not compile: {first_line(error)}"
            raise UnavailableError(told) from error


def _donations(lowered: jax.stages.Lowered) -> list[str]:
    """All that a lowering says of donation: in the attributes of the main function's arguments, and where the
    module is not JAX's own, in those of the module.
    """
    module: Any = lowered.compiler_ir("stablehlo")
    own = module.operation.attributes
    of_module = [str(own[at]) for at in range(len(own))]
    return [*of_module, *map(str, main_attributes(lowered, "arg_attrs"))]


def _cheapest(lowered: jax.stages.Lowered) -> dict[str, Any]:
    """Options with which XLA gets to the same HLO and buffers in less time: on a CPU, it is only LLVM that
    looks at the level (jaxlib 0.10.2, 0.12.0).
    """
    return {"xla_backend_optimization_level": 0} if platforms(lowered) == ("cpu",) else {}


_OF_OUTPUTS = ("jaxpr", "out_shardings", "out_layouts")
"""What a trace has for each output. Up to 0.10 the jaxpr is a `ClosedJaxpr`, with the outputs one level down.
"""


def _reordered(params: Mapping[str, Any], order: Sequence[int]) -> dict[str, Any]:
    if not order:
        return {}
    whole = params["jaxpr"]
    inner = getattr(whole, "jaxpr", whole)
    jaxpr = inner.replace(outvars=[inner.outvars[at] for at in order])
    placed = {name: tuple(params[name][at] for at in order) for name in _OF_OUTPUTS[1:]}
    return {"jaxpr": jaxpr if inner is whole else whole.replace(jaxpr=jaxpr), **placed}


def donated_inside(traced: jax.stages.Traced) -> set[int]:
    """The leaves that a jit inside the function donates, which JAX ignores there."""
    jaxpr = traced.jaxpr.jaxpr
    return set(_donated_leaves(jaxpr, {id(var): leaf for leaf, var in enumerate(jaxpr.invars)}))


def _donated_leaves(jaxpr: Any, leaf_of: Mapping[int, int]) -> Iterator[int]:
    """`leaf_of` maps the ids of variables: literals, which are operands too, are not hashable."""
    for equation in jaxpr.eqns:
        donated_invars: Sequence[bool] | None = equation.params.get("donated_invars")
        if donated_invars is None:
            continue
        leaves = [leaf_of.get(id(operand)) for operand in equation.invars]
        yield from (
            leaf
            for leaf, is_donated in zip(leaves, donated_invars, strict=True)
            if is_donated and leaf is not None
        )
        inner = equation.params["jaxpr"].jaxpr
        passed = zip(inner.invars, leaves, strict=True)
        yield from _donated_leaves(inner, {id(var): leaf for var, leaf in passed if leaf is not None})
