"""The call that a function is traced with: from the user's own function, from specs, from annotations."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import jax

from jitinspect import specs
from jitinspect.errors import LoadError, UserFunctionError
from jitinspect.process.tracebacks import user_traceback
from jitinspect.specs import Argument
from jitinspect.targets.arguments.annotations import spec_of
from jitinspect.targets.arguments.build import Call, build, build_call
from jitinspect.targets.arguments.fit import check_fit, check_values, missing_parameters
from jitinspect.targets.jitting import Jitted
from jitinspect.targets.loading import load


def assemble(
    subject: Jitted,
    given: Call,
    arguments: Iterable[Argument],
    dims: Mapping[str, int],
    mesh: jax.sharding.Mesh | None,
) -> Call:
    """The arguments `given`, then those of the specs, then for missing parameters those of annotations.

    Raises `UsageError` if the call does not fit the function, and what `build` raises.
    """
    bound = [replace(argument, spec=specs.bind(argument.spec, dims)) for argument in arguments]
    args, kwargs = build_call(bound, mesh)
    call = _with_annotated(subject, dims, ((*given[0], *args), {**given[1], **kwargs}))
    if subject.signature is not None:
        check_fit(subject.name, subject.signature, subject.static or (), call)
    if subject.signature is not None and subject.kind != "equinox.filter_jit":
        check_values(subject.signature, subject.static or (), call)
    return call


def call_from(ref: str) -> Call:
    """What the user's function `ref` returns: a tuple of arguments, or `(args, kwargs)`.

    Raises `UserFunctionError` if the function fails, `LoadError` if it returns something else.
    """
    maker = load(ref)
    try:
        made = maker.object()
    except (Exception, SystemExit) as error:
        message = f"{ref}, which should return the arguments, raised {type(error).__name__}"
        raise UserFunctionError(message, detail=user_traceback(error)) from error
    return _as_call(made, ref)


def _as_call(made: Any, ref: str) -> Call:
    if not isinstance(made, tuple):
        hint = "return a tuple, or (args, kwargs)"
        raise LoadError(f"{ref} returned {type(made).__name__}, not the arguments", hint=hint)
    if len(made) == 2 and isinstance(made[0], tuple) and isinstance(made[1], dict):
        return made
    return made, {}


def _with_annotated(subject: Jitted, dims: Mapping[str, int], call: Call) -> Call:
    """Fill in missing parameters that have jaxtyping annotations, by position if possible."""
    if subject.signature is None:
        return call
    args, kwargs = call
    order = list(subject.signature.parameters)
    hints = _hints(subject.function)
    for parameter in missing_parameters(subject.signature, call):
        spec = spec_of(hints.get(parameter.name, parameter.annotation), dims)
        if spec is None:
            continue
        if parameter.kind is not parameter.KEYWORD_ONLY and len(args) == order.index(parameter.name):
            args = (*args, build(spec))
        else:
            kwargs = {**kwargs, parameter.name: build(spec)}
    return args, kwargs


def _hints(function: Any) -> dict[str, Any]:
    """Annotations as objects, even if written as strings; none at all if one of them cannot be resolved."""
    try:
        return typing.get_type_hints(function) if function is not None else {}
    except (NameError, TypeError, SyntaxError, AttributeError):
        return {}
