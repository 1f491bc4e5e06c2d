"""Both cache keys of a call: what JAX looks up in memory, and under which name on disk."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from jitinspect.describe import describe
from jitinspect.errors import UnavailableError
from jitinspect.jaxapi.computation import computation_inputs, short
from jitinspect.jaxapi.context import changed_context
from jitinspect.jaxapi.diskcache import entry
from jitinspect.jaxapi.traced import leaves, mesh_of
from jitinspect.model import CacheKey, DiskKey, MemoryKey


def cache_key(memory: MemoryKey, disk: Callable[[], DiskKey], traced: Any, lowered: Any) -> CacheKey:
    """`disk` makes the on-disk key; where it raises `UnavailableError` the other is told all the same."""
    try:
        key = disk()
    except UnavailableError as error:
        return CacheKey(memory, unavailable=error.message)
    inputs = {**computation_inputs(traced, lowered), **key.inputs}
    shortened = {part: {name: short(text) for name, text in told.items()} for part, told in inputs.items()}
    return CacheKey(memory, replace(key, inputs=shortened, entry=entry(key.key, lowered)))


def memory_key(function: str, traced: Any, static: Mapping[str, str]) -> MemoryKey:
    """`function` as `module.qualname (file:line)`; the arguments' types are those that were traced."""
    args = tuple(f"{leaf.path}: {describe(leaf.aval)}{leaf.placement}" for leaf in leaves(traced))
    return MemoryKey(function, args, static, {**changed_context(), **mesh_of(traced)})


def static_values(
    signature: inspect.Signature | None,
    static: tuple[str | int, ...],
    call: tuple[tuple[Any, ...], dict[str, Any]],
) -> dict[str, str]:
    """Name → value of each static argument; one that is left to its default is told as that.

    JAX tells the two apart: `f(x)` and `f(x, training=False)` are traced each for itself.
    """
    args, kwargs = call
    if signature is None:
        return {str(label): _shown(label, args, kwargs) for label in static}
    given = signature.bind_partial(*args, **kwargs).arguments
    names = list(signature.parameters)
    told = {}
    for label in static:
        name = names[label] if isinstance(label, int) and label < len(names) else str(label)
        if name in given:
            told[name] = described(given[name])
        elif name in signature.parameters:
            told[name] = f"{described(signature.parameters[name].default)} (its default)"
        elif name in kwargs:
            told[name] = described(kwargs[name])
    return told


def _shown(label: str | int, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    if isinstance(label, int):
        return described(args[label]) if label < len(args) else "not given"
    return described(kwargs[label]) if label in kwargs else "not given"


def described(value: Any) -> str:
    """The value's own `repr` on one line; one that fails, or has an address in it, says only its type."""
    try:
        text = " ".join(repr(value).splitlines())
    except Exception:
        return describe(value)
    return describe(value) if " at 0x" in text else short(text)
