"""Values of options that are of their type already.

Typer 0.29 has Pydantic convert and check every value, defaults too: to import it, and to build a validator
for each option, takes about as long as all else that a command imports before JAX.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Process = Callable[[Any, Any], Any]


def spare_conversions(parameters: Iterable[Any]) -> None:
    """Have only those values of click's `parameters` converted that need it."""
    for parameter in parameters:
        described = getattr(parameter, "type_descriptor", None)  # not in older versions, which are quicker
        if described is not None:
            parameter.process_value = _sparing(parameter, described.annotation, parameter.process_value)


def _sparing(parameter: Any, kind: Any, convert: Process) -> Process:
    def process(context: Any, value: Any) -> Any:
        if parameter.required and not value:
            return convert(context, value)  # which complains
        if kind == list[str] and isinstance(value, (list, tuple)) and {*map(type, value)} <= {str}:
            typed: Any = list(value)
        elif (kind is str and type(value) is str) or (value is parameter.default and not parameter.multiple):
            typed = value
        else:
            return convert(context, value)
        return typed if parameter.callback is None else parameter.callback(context, parameter, typed)

    return process
