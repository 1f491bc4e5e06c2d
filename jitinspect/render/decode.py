"""JSON values → the dataclasses of the model, by their annotations. An error names the path of the value."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from jitinspect.model import explorations, pass_histories, views

Reader = Callable[[Any], Any]
_NAMED = vars(views) | vars(explorations) | vars(pass_histories)
"""What `model.stages` names but does not import."""


class Misfit(Exception):
    """A value of the wrong kind; `path` leads to it from the outside in."""

    def __init__(self, what: str, *path: str) -> None:
        super().__init__(what)
        self.what, self.path = what, path

    def below(self, name: str) -> Misfit:
        return Misfit(self.what, name, *self.path)

    def __str__(self) -> str:
        return f"{'.'.join(self.path)} {self.what}".strip()


@cache
def reader(kind: Any) -> Reader:
    """A function from a JSON value to a `kind`. It raises `Misfit`.

    It ignores keys that a dataclass does not have. Keys with a default may be missing.
    """
    origin, parts = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return _dataclass_reader(kind)
    if origin is tuple:
        return _tuple_reader(reader(parts[0]))
    if origin is Mapping:
        return _mapping_reader(reader(parts[1]))
    if origin in (Union, types.UnionType):
        return _union_reader(parts)
    return _word_reader(parts) if origin is Literal else _plain_reader(kind)


def _dataclass_reader(kind: Any) -> Reader:
    @cache
    def parts() -> list[tuple[str, Reader, bool]]:  # lazily, because a branch has branches
        hints = get_type_hints(kind, localns=_NAMED)
        return [(one.name, reader(hints[one.name]), _is_needed(one)) for one in fields(kind)]

    def read(value: Any) -> Any:
        given, known = _object(value), {}
        for name, part, needed in parts():
            if (written := name.rstrip("_")) in given:  # Python has no field `pass`
                known[name] = _read_below(written, part, given[written])
            elif needed:
                raise Misfit("is missing", name)
        return kind(**known)

    return read


def _is_needed(field: Any) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _tuple_reader(item: Reader) -> Reader:
    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise Misfit("is not a list")
        return tuple([_read_below(str(index), item, one) for index, one in enumerate(value)])

    return read


def _mapping_reader(item: Reader) -> Reader:
    return lambda value: {name: _read_below(name, item, one) for name, one in _object(value).items()}


def _union_reader(parts: tuple[Any, ...]) -> Reader:
    options = [reader(part) for part in parts if part is not types.NoneType]

    def read(value: Any) -> Any:
        if value is None and types.NoneType in parts:
            return None
        for option in options[:-1]:
            with suppress(Misfit):
                return option(value)
        return options[-1](value)

    return read


def _plain_reader(kind: type) -> Reader:
    kinds = (int, float) if kind is float else (kind,)

    def read(value: Any) -> Any:
        if not isinstance(value, kinds):
            raise Misfit(f"is not {'an' if kind is int else 'a'} {kind.__name__}")
        return value

    return read


def _word_reader(words: tuple[str, ...]) -> Reader:
    def read(value: Any) -> Any:
        if value not in words:
            raise Misfit(f"has the unknown value {value!r:.40}")
        return value

    return read


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Misfit("is not an object")
    return value


def _read_below(name: str, part: Reader, value: Any) -> Any:
    try:
        return part(value)
    except Misfit as misfit:
        raise misfit.below(name) from None
