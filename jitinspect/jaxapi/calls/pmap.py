"""Calls of a `jax.pmap`, which is a plain function around a jit of what JAX makes of the user's function.

Read from the frame of `pmap.<locals>.wrapped` and the closure of its `infer_params` (private; 0.8.3 to
0.12.0.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import FrameType
from typing import Any, NamedTuple

from jitinspect.jaxapi.calls.events import owner
from jitinspect.jaxapi.calls.misses import BOUNDARY

_WRAPPED = "pmap.<locals>.wrapped"
_OPTIONS = ("axis_name", "axis_size", "in_axes", "out_axes", "out_axes_flat", "backend", "devices")


class PmapCall(NamedTuple):
    """The user's function and its arguments, as the user passed them; `options` are those of `jax.pmap`."""

    fun: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    static_nums: tuple[int, ...]
    options: Mapping[str, Any]


def pmap_call(frame: FrameType) -> PmapCall | None:
    """The call, if a `pmap` makes it in `frame`, where a call of a jit misses the fast path."""
    outer = frame.f_back
    while outer is not None and outer.f_code.co_name == BOUNDARY:
        outer = outer.f_back
    is_pmap = outer is not None and outer.f_code.co_qualname == _WRAPPED and owner(outer.f_code) == "jax"
    return _call(outer.f_locals) if outer is not None and is_pmap else None


def _call(variables: Mapping[str, Any]) -> PmapCall | None:
    infer: Any = variables.get("infer_params")
    names = getattr(getattr(infer, "__code__", None), "co_freevars", ())
    held = {name: cell.cell_contents for name, cell in zip(names, infer.__closure__ or (), strict=True)}
    fun = held.get("f") or getattr(held.get("wrapped_fun"), "f", None)
    if fun is None or not {"args", "kwargs"} <= set(variables):
        return None
    options = {name: held[name] for name in _OPTIONS if name in held}
    if str(options.get("axis_name")).startswith("<axis 0x"):  # in 0.8, where the user gave none
        del options["axis_name"]
    static = tuple(held.get("static_broadcasted_tuple", ()))
    return PmapCall(fun, variables["args"], variables["kwargs"], static, options)
