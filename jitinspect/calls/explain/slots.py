"""A call as comparable components: what JAX's caches look at, under the names that users know."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from jitinspect.model import ReasonKind

ABSENT = -1
"""The id of a component that a call does not have; it never counts as different."""


DEFAULT_LAYOUT = "the default"
"""The value of a `layout` slot for an array that lies row by row."""


class Slot(NamedTuple):
    """One component of a call: `kind` as in `Reason`, `where` a path such as `params['w']`."""

    kind: ReasonKind
    where: str | None


class Node(NamedTuple):
    """The value of a `structure` slot: one node of an argument's tree, equal where JAX considers it equal.

    `type` is the container's type (None for a leaf), `keys` its keys or its length, `aux` the auxiliary
    data of a custom node.
    """

    type: type | None
    keys: Hashable
    aux: Hashable = None


LEAF = Node(None, ())
"""A leaf; in a `static_value` slot: a value that could be static but is traced."""


class Static(NamedTuple):
    """The value of a `static_value` slot: equal by type and by `==`, as static arguments are.

    `type` is `object` where `==` alone decides.
    """

    type: type
    value: Any


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """Which components a call has; calls with the same components share one object."""

    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Signature:
    """The components of one call: `ids` come from an `Interner`, one for each slot of the form.

    `written` is how arguments were passed, by name, where that is another form than the one compared.
    """

    form: Form
    ids: tuple[int, ...]
    written: Mapping[str, str] = field(default_factory=dict)


class Interner:
    """Values → small integers, so that signatures can be compared as arrays. It keeps the values alive."""

    def __init__(self) -> None:
        self._ids: dict[Hashable, int] = {}
        self.values: list[Any] = []

    def __call__(self, value: Hashable) -> int:
        key = (value.__class__, value)  # 1 is not True
        number = self._ids.get(key)
        if number is None:
            number = self._ids[key] = len(self.values)
            self.values.append(value)
        return number

    def all(self, values: Iterable[Hashable]) -> tuple[int, ...]:
        return tuple(map(self, values))
