"""The stages of a function in memory, compiled for a device that is not here: it is found again in a worker.

Only what can be sent there gets there: the function by its module and name, arrays as their types.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import jax

from jitinspect.devices import session
from jitinspect.devices.names import DeviceTarget
from jitinspect.devices.plugins import require_plugin
from jitinspect.errors import LoadError, UnavailableError
from jitinspect.stages.inspection import Request
from jitinspect.targets.arguments.build import Call
from jitinspect.targets.arguments.types import as_types
from jitinspect.targets.loading import load

Result = TypeVar("Result")
_HINT = "give it a name in a module, outside of other functions"


def carry_out_elsewhere(
    work: Callable[[Any, Call, Request], Result],
    function: Any,
    call: Call,
    request: Request,
    device: DeviceTarget,
    timeout: float | None = None,
    weigh: bool = False,
) -> Result:
    """`work(function, call, request)` in a worker whose compilations are for `device`, as the request then
    says. `work` is a function of a module, such as `inspect_call`; `weigh` as for `devices.session`.

    The mesh is that of the arguments. Raises `UnavailableError` if there is no compiler for the device, or
    the function or an argument cannot be sent to the worker; and what `devices.session.carry_out` raises.
    """
    require_plugin(device.device)
    asked = replace(request, device=device, mesh=_mesh(call))
    sent = partial(_in_worker, work, reference(function), _portable(call), asked)
    try:
        pickle.dumps(sent)
    except Exception as error:
        raise UnavailableError(f"an argument cannot be sent to the worker: {error}") from error
    return session.carry_out(sent, device, request.full, weigh, timeout)


def _in_worker(
    work: Callable[[Any, Call, Request], Result], ref: str, call: Call, request: Request
) -> Result:
    try:
        function = load(ref).object
    except LoadError as error:  # such as a name that a script has only when it is run
        raise UnavailableError(f"a worker cannot import {ref}: {error.message}", hint=_HINT) from error
    return work(function, call, request)


def reference(function: Any) -> str:
    """`mod:fn`, or `path/file.py:fn` for a script, by which the very object is found again.

    Raises `UnavailableError` if its module does not hold it.
    """
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    holder = getattr(module, "__file__", None) if module and module.__name__ == "__main__" else None
    where = holder or (module.__name__ if module and module.__name__ != "__main__" else None)
    if module is None or where is None or (name := _name_in(module, function)) is None:
        raise UnavailableError(f"a worker cannot import {_called(function)}", hint=_HINT)
    return f"{where}:{name}"


def _name_in(module: Any, function: Any) -> str | None:
    qualname = getattr(function, "__qualname__", "")
    found = module
    for part in qualname.split("."):
        found = getattr(found, part, None)
    if found is function:
        return str(qualname)
    return next((name for name, held in vars(module).items() if held is function), None)


def _called(function: Any) -> str:
    return str(getattr(function, "__qualname__", None) or type(function).__qualname__)


def _mesh(call: Call) -> tuple[tuple[str, int], ...]:
    """The axes of the mesh that arguments are sharded over; none if no argument is."""
    for leaf in jax.tree.leaves(call):
        sharding = getattr(leaf, "sharding", None)
        if isinstance(sharding, jax.sharding.NamedSharding) and sharding.mesh.size > 1:
            return tuple((str(axis), size) for axis, size in sharding.mesh.shape.items())
    return ()


def _portable(call: Call) -> Call:
    """The types of arrays, with shardings that name no device."""
    args, kwargs = jax.tree.map(_without_devices, as_types(call))
    return args, kwargs


def _without_devices(leaf: Any) -> Any:
    if not isinstance(leaf, jax.ShapeDtypeStruct):
        return leaf
    sharding: Any = leaf.sharding
    if isinstance(sharding, jax.sharding.NamedSharding):
        sharding = jax.sharding.NamedSharding(sharding.mesh.abstract_mesh, sharding.spec)
    else:
        sharding = None
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding, weak_type=leaf.weak_type)
