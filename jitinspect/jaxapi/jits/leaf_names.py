"""The user's names for the inputs and outputs of a jit, of whichever library.

equinox returns its own jit's `result[1]`; flax returns the updated modules among the arguments, and then the
result. Seen on equinox 0.13.8, flax 0.12.8 and 0.12.12.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any

import jax

from jitinspect.jaxapi.jits import filter_jit_parts, recognition
from jitinspect.jaxapi.jits.argument_names import argument_names, with_modules
from jitinspect.jaxapi.keys.computation import debug_info

Call = tuple[tuple[Any, ...], Mapping[str, Any]]
_UPDATED = re.compile(r"result\[0\]\[(\d+)\]|result\[1\]\['(\w+)'\]")


def names_in(jit: Any, call: Call, traced: jax.stages.Traced) -> tuple[str, ...]:
    """The path of each leaf of the call of `jit` that was traced as `traced`: `params['w']`."""
    own, args, kwargs = recognition.full_call(jit, *call)
    if recognition.kind(own) == "equinox.filter_jit":
        return argument_names(traced, filter_jit_parts.leaf_names(own, args, kwargs).arrays)
    return argument_names(traced)


def names_out(jit: Any, traced: jax.stages.Traced) -> tuple[str, ...]:
    """The path of each output: `result['w']`; what flax updates has the name of the argument."""
    count = len(traced.jaxpr.out_avals)
    paths = [str(path) for path in getattr(debug_info(traced), "result_paths", None) or ()]
    if len(paths) != count:
        return tuple(f"result[{index}]" for index in range(count))
    own, *_ = recognition.full_call(jit, (), {})
    if recognition.kind(own) == "equinox.filter_jit":
        return tuple(path.replace("result[1]", "result", 1) for path in paths)
    if recognition.kind(own) == "flax.nnx.jit":
        parameters = list((recognition.signature(own) or inspect.Signature()).parameters)
        return tuple(_of_flax(path, parameters) for path in with_modules(traced.out_info, paths))
    return tuple(paths)


def _of_flax(path: str, parameters: list[str]) -> str:
    if (found := _UPDATED.match(path)) is None:
        return path.replace("result[2]", "result", 1)
    at, name = found.groups()
    if name is None and int(at) >= len(parameters):
        return path
    return (name or parameters[int(at)]) + path[found.end() :]
