"""JSON's values → the dataclasses of the model, by their annotations; a misfit is told by its path."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from jitinspect.model import views

Reader = Callable[[Any], Any]


class Misfit(Exception):
    """A value that is not what the model has in its place; `path` leads to it from the outside in."""

    def __init__(self, what: str, *path: str) -> None:
        super().__init__(what)
        self.what, self.path = what, path

    def below(self, name: str) -> Misfit:
        return Misfit(self.what, name, *self.path)

    def __str__(self) -> str:
        return f"{'.'.join(self.path)} {self.what}".strip()


@cache
def reader(kind: Any) -> Reader:
    """What makes a `kind` of a value of JSON's. It raises `Misfit`.

    Keys that a dataclass does not know are passed over, those it can do without may be missing.
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
    def parts() -> list[tuple[str, Reader, bool]]:  # not before they are needed: a branch has branches
        hints = get_type_hints(kind, localns=vars(views))  # which `model.stages` names, but does not load
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
            raise Misfit("is no list")
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
            raise Misfit(f"is no {kind.__name__}")
        return value

    return read


def _word_reader(words: tuple[str, ...]) -> Reader:
    def read(value: Any) -> Any:
        if value not in words:
            raise Misfit(f"is {value!r:.40}, which is not known here")
        return value

    return read


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Misfit("is no object")
    return value


def _read_below(name: str, part: Reader, value: Any) -> Any:
    try:
        return part(value)
    except Misfit as misfit:
        raise misfit.below(name) from None
