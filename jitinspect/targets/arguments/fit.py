"""Whether a call fits the function, checked before JAX traces it."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

import jax

from jitinspect.errors import UsageError
from jitinspect.targets.arguments.build import Call
from jitinspect.targets.parameters import brief_signature


def check_fit(name: str, signature: inspect.Signature, static: Iterable[str | int], call: Call) -> None:
    """Raise `UsageError` if arguments are missing or there are too many."""
    args, kwargs = call
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        raise UsageError(
            f"{name}{brief_signature(signature)}: {error}", hint=_hint(signature, static, call)
        ) from None


def check_values(signature: inspect.Signature, static: Iterable[str | int], call: Call) -> None:
    """Raise `UsageError` for a static argument without a hashable value, and for non-static text."""
    args, kwargs = call
    names = list(signature.parameters)
    statics = {names[label] if isinstance(label, int) and label < len(names) else label for label in static}
    for name, value in signature.bind(*args, **kwargs).arguments.items():
        if name in statics:
            _check_static(name, value)
        elif isinstance(value, str | bytes):
            message = f"{name}={value!r} is not an array and {name!r} is not static"
            raise UsageError(message, hint=f"add --static {name}")


def _hint(signature: inspect.Signature, static: Iterable[str | int], call: Call) -> str | None:
    missing = missing_parameters(signature, call)
    values = {parameter.name: "…" if parameter.name in static else "f32[…]" for parameter in missing}
    return "add " + " ".join(f"--arg '{name}={value}'" for name, value in values.items()) if missing else None


def missing_parameters(signature: inspect.Signature, call: Call) -> list[inspect.Parameter]:
    """The parameters without a default that the call leaves out, in order."""
    args, kwargs = call
    try:
        given = signature.bind_partial(*args, **kwargs).arguments
    except TypeError:
        return []
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [
        parameter
        for name, parameter in signature.parameters.items()
        if name not in given and parameter.default is parameter.empty and parameter.kind not in variadic
    ]


def _check_static(name: str, value: Any) -> None:
    try:
        hash(value)
    except TypeError:
        raise UsageError(
            f"static argument {name!r} is of type {type(value).__name__}, which cannot be hashed",
            hint="give a hashable value, such as a tuple, or let it be traced",
        ) from None
    if isinstance(value, jax.ShapeDtypeStruct):
        raise UsageError(
            f"argument {name!r} is static: it needs a value, not a type", hint=f"--arg '{name}=3'"
        )
