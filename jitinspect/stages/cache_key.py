"""Both cache keys of a call: what JAX looks up in memory, and the name that it looks for on disk."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from jitinspect.errors import UnavailableError
from jitinspect.jaxapi.jits import filter_jit_parts, recognition
from jitinspect.jaxapi.jits.argument_names import argument_names
from jitinspect.jaxapi.keys.computation import computation_inputs, short
from jitinspect.jaxapi.keys.context import changed_context
from jitinspect.jaxapi.keys.disk_cache import entry
from jitinspect.jaxapi.keys.traced_leaves import leaves, mesh_of
from jitinspect.model import CacheKey, DiskKey, MemoryKey
from jitinspect.specs.describe import describe

Call = tuple[tuple[Any, ...], Mapping[str, Any]]
"""The positional and keyword arguments of a call."""


def cache_key(
    function: str, jit: Any, call: Call, traced: Any, lowered: Any, disk: Callable[[], DiskKey]
) -> CacheKey:
    """The keys of a call of `jit`, whose stages are `traced` and `lowered`.

    `function` is `module.qualname (file:line)`. `disk` makes the on-disk key; if it raises
    `UnavailableError`, the in-memory key is returned all the same.
    """
    names, static = _argument_names(jit, call, traced)
    memory = MemoryKey(function, _arguments(traced, names), static, {**changed_context(), **mesh_of(traced)})
    try:
        key = disk()
    except UnavailableError as error:
        return CacheKey(memory, unavailable=error.message)
    inputs = {**computation_inputs(traced, lowered, names), **key.inputs}
    shortened = {part: {name: short(text) for name, text in texts.items()} for part, texts in inputs.items()}
    return CacheKey(memory, replace(key, inputs=shortened, entry=entry(key.key, lowered)))


def _arguments(traced: Any, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{leaf.path}: {describe(leaf.aval)}{leaf.placement}" for leaf in leaves(traced, names))


def _argument_names(jit: Any, call: Call, traced: Any) -> tuple[tuple[str, ...], dict[str, str]]:
    """The names of the traced arrays, and name → value of the static arguments."""
    own, args, kwargs = recognition.full_call(jit, *call)
    signature = recognition.signature(own)
    if recognition.kind(own) == "equinox.filter_jit":
        known = filter_jit_parts.leaf_names(own, args, kwargs)
        static = {name: described(value) for name, value in known.static.items()}
        defaults = static_values(signature, _left_out(signature, (args, kwargs)), (args, kwargs))
        return argument_names(traced, known.arrays), {**static, **defaults}
    options = recognition.jit_options(own)
    static = static_values(signature, options.static if options else (), (args, kwargs))
    return argument_names(traced), static


def _left_out(signature: inspect.Signature | None, call: Call) -> tuple[str, ...]:
    """The parameters for which the call uses the defaults."""
    if signature is None:
        return ()
    args, kwargs = call
    given = signature.bind_partial(*args, **kwargs).arguments
    parameters = signature.parameters.values()
    return tuple(one.name for one in parameters if one.name not in given and one.default is not one.empty)


def static_values(
    signature: inspect.Signature | None, static: tuple[str | int, ...], call: Call
) -> dict[str, str]:
    """Name → value of each static argument; a default is marked as such.

    JAX distinguishes the two: `f(x)` and `f(x, training=False)` are traced separately.
    """
    args, kwargs = call
    if signature is None:
        return {str(label): _shown(label, args, kwargs) for label in static}
    given = signature.bind_partial(*args, **kwargs).arguments
    names = list(signature.parameters)
    values = {}
    for label in static:
        name = names[label] if isinstance(label, int) and label < len(names) else str(label)
        if name in given:
            values[name] = described(given[name])
        elif name in signature.parameters:
            values[name] = f"{described(signature.parameters[name].default)} (its default)"
        elif name in kwargs:
            values[name] = described(kwargs[name])
    return values


def _shown(label: str | int, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    if isinstance(label, int):
        return described(args[label]) if label < len(args) else "not given"
    return described(kwargs[label]) if label in kwargs else "not given"


def described(value: Any) -> str:
    """The value's `repr` on one line; if that fails, or has an address in it, only the value's type."""
    try:
        text = " ".join(repr(value).splitlines())
    except Exception:
        return describe(value)
    return describe(value) if " at 0x" in text else short(text)
