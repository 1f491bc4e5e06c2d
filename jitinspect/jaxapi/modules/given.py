"""What a module says of the function that it was: its name, arguments, results, file, meshes and devices.

JAX notes most of it for its own use (seen on 0.8.3 to 0.12.0.1): the location of an argument of `main` is its
path (`params['w']`), `jax.result_info` that of a result; `tf.aliasing_output` and `jax.buffer_donor` are of
donated arguments; `sdy.mesh`, `sdy.sharding` (Shardy) and `mhlo.sharding` (GSPMD, and HLO) tell of devices.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

from jax._src.lib.mlir import ir  # type: ignore[attr-defined]

from jitinspect.ir.program import Frame
from jitinspect.process.paths import is_installed

_DTYPES = {"i1": "bool", "bf16": "bfloat16", "complex<f32>": "complex64", "complex<f64>": "complex128"}
_KINDS = {"f": "float", "i": "int", "ui": "uint", "si": "int"}
_NUMBER = re.compile(r"(ui|si|i|f)(\d+)(E\w+)?")
_NAMED = re.compile(r'loc\("((?:[^"\\]|\\.)*)"(?!:\d)')
_MESHES = re.compile(r"@?(\w+)\s*=\s*(?:#sdy\.mesh)?<\[((?:[^\]])*)\]")
_AXIS = re.compile(r'\\?"?([\w-]+)\\?"?\s*=\s*(\d+)')
_LAID = re.compile(r"@(\w+), \[(.*)\]")
DONATED = ("tf.aliasing_output", "jax.buffer_donor")
_NO_WORD = re.compile(r"\W+")
_ROOT = re.compile(r"\w+")
OF_HLO = "mhlo.input_output_alias"
"""Of each module that HLO becomes, if it has aliases or not."""
_PARAMETER = re.compile(r"parameter_number = (\d+)")
_INSTRUCTION = re.compile(r"\.\d+$")
_PLACE = re.compile(r'^(#loc\d*) = loc\("([^"]+)":(\d+):', re.M)
_FRAME = re.compile(r'^#loc\d* = loc\("([^"]+)"\((#loc\d*)\)\)$', re.M)
_TOKEN = "!stablehlo.token"
_CALLBACK = re.compile(r"callback|xla_python_(?:cpu|gpu)")
"""In the names of the custom calls by which JAX calls Python: `xla_ffi_python_cpu_callback`."""
_INNER = "_wrapped_jax_export_main"
"""The function that `main` of an exported module with symbolic shapes calls: the arguments' names are there.
"""

Axes = tuple[tuple[str, int], ...]
"""The names and sizes of a mesh."""


class Laid(NamedTuple):
    """How an array is sharded: the axes of each dimension, over the mesh of that name; or XLA's `text`."""

    mesh: str = ""
    axes: tuple[tuple[str, ...], ...] = ()
    text: str = ""


class GivenArray(NamedTuple):
    """An argument or result. `shape` has None for sizes that are not static; `name` is its path in Python,
    `params['w']`, if that is told; `laid` is None where its sharding is left to XLA.
    """

    shape: tuple[int | None, ...]
    dtype: str
    name: str | None = None
    laid: Laid | None = None
    donated: bool = False


@dataclass(frozen=True, slots=True)
class GivenModule:
    """`name` is XLA's, `jit_step`; `devices` is how many it is divided for, over `meshes` by their names.

    `custom_calls` are what it calls outside of itself, each once. `has_tokens` is whether `main` orders
    effects.
    """

    module: Any
    name: str
    arguments: tuple[GivenArray, ...]
    results: tuple[GivenArray, ...]
    devices: int = 1
    meshes: tuple[tuple[str, Axes], ...] = ()
    custom_calls: tuple[str, ...] = ()
    has_tokens: bool = False

    @property
    def mesh(self) -> Axes:
        """The axes of the mesh that has all devices; empty if it has no name for them."""
        return next((axes for _, axes in self.meshes if prod(size for _, size in axes) == self.devices), ())

    @property
    def donated(self) -> tuple[str, ...]:
        """The names of the parameters of which it reuses an array."""
        names = (_ROOT.match(one.name) for one in self.arguments if one.donated and one.name)
        return tuple(dict.fromkeys(one[0] for one in names if one))

    @property
    def callbacks(self) -> tuple[str, ...]:
        """The custom calls that run Python, which is not here."""
        return tuple(name for name in self.custom_calls if _CALLBACK.search(name))


def given(module: Any) -> GivenModule:
    """Raises `ValueError` for a module without a main function of arrays, and for one whose attributes are
    not what they should be, as after damage.
    """
    try:
        return _given(module)
    except ValueError:
        raise
    except Exception as error:  # of MLIR's bindings
        raise ValueError(f"what it says of its function cannot be read: {type(error).__name__}") from None


def _given(module: Any) -> GivenModule:
    with module.context:
        operation = module.operation
        main = main_of(module)
        kind: Any = ir.FunctionType(ir.TypeAttr(main.attributes["function_type"]).value)
        arguments = _arrays(main, "arg_attrs", kind.inputs, _names(module, main))
        if OF_HLO in operation.attributes:
            arguments = _as_in_hlo(arguments, str(operation.attributes[OF_HLO]))
        results = _arrays(main, "res_attrs", kind.results, ())
        meshes = tuple(_meshes(module))
        divided = _number(operation, "mhlo.num_partitions") * _number(operation, "mhlo.num_replicas")
        return GivenModule(
            module,
            _text(operation, "sym_name") or "module",
            tuple(arguments),
            tuple(results),
            divided if divided > 1 else _devices_of([*arguments, *results], meshes),
            meshes,
            tuple(dict.fromkeys(_custom_calls(operation))),
            any(str(one) == _TOKEN for one in kind.inputs),
        )


def main_of(module: Any) -> Any:
    """Raises `ValueError` if there is none."""
    for operation in module.body.operations:
        if _text(operation, "sym_name") == "main" and "function_type" in operation.attributes:
            return operation
    raise ValueError("the module has no function @main")


def defined_at(module: Any, name: str) -> tuple[Frame, ...]:
    """Where a Python function of that name made operations: a frame of each file and qualified name, the most
    frequent first, those of libraries last.

    By the locations `"pkg.step"("/file.py":12:3)`: the function's own qualified name around file and line.
    """
    text = module.operation.get_asm(enable_debug_info=True, large_elements_limit=8)
    places = {alias: (file, int(line)) for alias, file, line in _PLACE.findall(text)}
    frames = [
        Frame(*places[place], function)
        for function, place in _FRAME.findall(text)
        if place in places and _in_module(function.rpartition(".")[2]) == _in_module(name)
    ]
    counts = Counter((frame.file, frame.function) for frame in frames)
    one_each = {(frame.file, frame.function): frame for frame in frames}
    listed = sorted(counts, key=lambda key: (is_installed(key[0]), -counts[key]))
    return tuple(one_each[key] for key in listed)


def _in_module(function: str) -> str:
    """A function's name as that of a module has it: `lambda` for `<lambda>`."""
    return _NO_WORD.sub("_", function).strip("_")


def _names(module: Any, main: Any) -> tuple[str | None, ...]:
    """The paths of the arguments of `main`, or those of the function that it wraps, whose last arguments they
    are.
    """
    own = _located(main)
    wrapped = (one for one in module.body.operations if _text(one, "sym_name") == _INNER)
    inner = next(map(_located, wrapped), ())
    taken = inner[-len(own) :] if own else ()
    return taken if len(taken) == len(own) and not any(own) else own


def _located(function: Any) -> tuple[str | None, ...]:
    found = (_NAMED.match(str(one.location)) for one in function.regions[0].blocks[0].arguments)
    return tuple(one[1].replace('\\"', '"').replace("\\\\", "\\") if one else None for one in found)


def _arrays(
    main: Any, attributes: str, kinds: Sequence[Any], names: Sequence[str | None]
) -> Iterator[GivenArray]:
    noted = list(main.attributes[attributes]) if attributes in main.attributes else []
    for at, kind in enumerate(kinds):
        if str(kind) == _TOKEN:
            continue
        own = noted[at] if at < len(noted) else {}
        name = names[at] if at < len(names) else _noted(own, "jax.result_info")
        yield _array(kind, name or None, own)


def _as_in_hlo(arguments: Iterable[GivenArray], aliases: str) -> Iterator[GivenArray]:
    """Those of a module that was HLO: names may be those of instructions, `x.1`, and what is donated is
    written apart.
    """
    donated = {int(number) for number in _PARAMETER.findall(aliases)}
    for at, one in enumerate(arguments):
        yield one._replace(name=_INSTRUCTION.sub("", one.name or "") or None, donated=at in donated)


def _array(kind: Any, name: str | None, own: Any) -> GivenArray:
    try:
        tensor: Any = ir.RankedTensorType(kind)
    except (TypeError, ValueError):
        raise ValueError(f"@main has a value of type {kind}, which is no array") from None
    shape = tuple(None if tensor.is_dynamic_dim(at) else tensor.get_dim_size(at) for at in range(tensor.rank))
    donated = any(one in own for one in DONATED)
    return GivenArray(shape, _dtype(str(tensor.element_type)), name, _laid(own), donated)


def _laid(own: Any) -> Laid | None:
    """By Shardy's attribute, or by its text, which is kept where a module was HLO."""
    frontend = _entry(own, "mhlo.frontend_attributes")
    shardy = str(own["sdy.sharding"]) if "sdy.sharding" in own else _noted(frontend, "xla.sdy.sharding")
    if shardy and (found := _LAID.search(shardy)):
        dimensions = re.findall(r"\{([^}]*)\}", found[2])
        return Laid(found[1], tuple(tuple(re.findall(r'"([^"\\]+)\\?"', one)) for one in dimensions))
    text = _noted(own, "mhlo.sharding")
    return Laid(text=text) if text else None


def _meshes(module: Any) -> Iterator[tuple[str, Axes]]:
    for operation in module.body.operations:
        if operation.operation.name == "sdy.mesh":
            name = _text(operation, "sym_name") or ""
            yield from ((name, axes) for _, axes in _meshes_in(f"{name} = {operation.attributes['mesh']}"))
    frontend = _entry(module.operation.attributes, "mhlo.frontend_attributes")
    yield from _meshes_in(_noted(frontend, "xla.sdy.meshes"))


def _meshes_in(text: str) -> Iterator[tuple[str, Axes]]:
    for name, axes in _MESHES.findall(text):
        found = tuple((axis, int(size)) for axis, size in _AXIS.findall(axes))
        if found:
            yield name, found


def _devices_of(arrays: Sequence[GivenArray], meshes: Sequence[tuple[str, Axes]]) -> int:
    """By the shardings, where the module does not say: HLO before optimization has no such number."""
    of_meshes = [prod(size for _, size in axes) for _, axes in meshes]
    of_texts = [_tiles(one.laid.text) for one in arrays if one.laid]
    return max([1, *of_meshes, *of_texts])


def _tiles(text: str) -> int:
    found = re.search(r"devices=\[([\d,]+)\]", text)
    return prod(map(int, found[1].split(","))) if found else 1


def _custom_calls(operation: Any) -> Iterator[str]:
    found: list[str] = []

    def note(one: Any) -> Any:
        if one.name == "stablehlo.custom_call":
            found.append(ir.StringAttr(one.attributes["call_target_name"]).value)
        return ir.WalkResult.ADVANCE

    operation.walk(note)
    yield from found


def _entry(attributes: Any, name: str) -> Any:
    if name in attributes:
        return attributes[name]
    return {}


def _noted(attributes: Any, name: str) -> str:
    return str(ir.StringAttr(attributes[name]).value) if name in attributes else ""


def _text(operation: Any, name: str) -> str | None:
    attributes = operation.attributes
    return ir.StringAttr(attributes[name]).value if name in attributes else None


def _number(operation: Any, name: str) -> int:
    attributes = operation.attributes
    return int(ir.IntegerAttr(attributes[name]).value) if name in attributes else 1


def _dtype(text: str) -> str:
    """`float32` for MLIR's `f32`; `float8_e4m3fn` for `f8E4M3FN`."""
    if text in _DTYPES:
        return _DTYPES[text]
    if (found := _NUMBER.fullmatch(text)) is None:
        raise ValueError(f"@main has an array of {text}, which is no dtype of JAX")
    kind, bits, form = found.groups()
    return f"{_KINDS[kind]}{bits}" + (f"_{form.lower()}" if form else "")
