"""A call as comparable components: what JAX's caches look at, under the names that users know."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple

from jitinspect.model import ReasonKind, Snapshot

ABSENT = -1
"""The id of a component that a call does not have; it never counts as different."""


DEFAULT_LAYOUT = "the default"
"""The value of a `layout` slot for an array that lies row by row."""


class Slot(NamedTuple):
    """One component of a call: `kind` as in `Reason`, `where` a path such as `params['w']`."""

    kind: ReasonKind
    where: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """The value of a `structure` slot: one node of an argument's tree, equal where JAX considers it equal.

    `type` is the container's type (None for a leaf), `keys` its keys or its length, `aux` the auxiliary
    data of a custom node, `seen` that data as it was when it was read.
    """

    type: type | None
    keys: Hashable
    aux: Any = None
    seen: Snapshot | None = None

    def __eq__(self, other: object) -> bool:
        """As tuples are compared, by identity first: fields of a dataclass are not, from Python 3.13 on."""
        return isinstance(other, Node) and self._compared == other._compared

    def __hash__(self) -> int:
        return hash(self._compared)

    @property
    def _compared(self) -> tuple[Any, ...]:
        return self.type, self.keys, self.aux


LEAF = Node(None, ())
"""A leaf; in a `static_value` slot: a value that could be static but is traced."""


@dataclass(frozen=True, slots=True, eq=False)
class Static:
    """The value of a `static_value` slot: equal by type and by `==`, as static arguments are.

    `type` is `object` where `==` alone decides. `seen` is the value as it was when it was read: it may be
    changed in place.
    """

    type: type
    value: Any
    seen: Snapshot | None = None

    def __eq__(self, other: object) -> bool:
        """As tuples are compared, by identity first, as for a node."""
        return isinstance(other, Static) and (self.type, self.value) == (other.type, other.value)

    def __hash__(self) -> int:
        return hash((self.type, self.value))


class KnownSettings(NamedTuple):
    """The value of a `config` slot: which settings a trace depends on. An import of Pallas adds some, after
    which JAX traces and compiles again (0.12.0.1; not 0.10.2).
    """

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MadeFunction:
    """The value of the `new_function` slot: the function by its number. `place` is where it is defined,
    `left_out` are the paths of what it captures that cannot be compared, `bound_to` is equal for methods of
    the same object.
    """

    number: int
    place: str | None = field(default=None, compare=False)
    left_out: tuple[str, ...] = field(default=(), compare=False)
    bound_to: Hashable = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """Which components a call has; calls with the same components share one object."""

    slots: tuple[Slot, ...]


@dataclass(slots=True, eq=False)
class Signature:
    """The components of one call: ids from an `Interner`, one for each slot of the form, in `parts` that
    signatures share.

    `written` is how arguments were passed, by name, where that is another form than the one compared.
    """

    form: Form
    parts: tuple[tuple[int, ...], ...]
    written: Mapping[str, str] = field(default_factory=dict)

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(chain.from_iterable(self.parts))


class Interner:
    """Values → small integers, so that signatures can be compared as arrays. It keeps the values alive.

    Values that cannot be hashed, as the metadata of a tree may be, are compared with each other by `==`; a
    value whose `==` fails is equal to none.
    """

    def __init__(self) -> None:
        self._ids: dict[Hashable, int] = {}
        self._unhashable: dict[Hashable, list[int]] = {}
        self.values: list[Any] = []

    def __call__(self, value: Any) -> int:
        number = self.find(value)
        return self.add(value) if number is None else number

    def find(self, value: Any) -> int | None:
        """The number of an equal value; None if there is none yet."""
        try:
            return self._ids.get((value.__class__, value))  # 1 is not True
        except Exception:
            alike = self._unhashable.get(_class_of(value), ())
            return next((number for number in alike if equal(self.values[number], value)), None)

    def add(self, value: Any) -> int:
        """A number for a value that has none."""
        number = len(self.values)
        self.values.append(value)
        try:
            self._ids[value.__class__, value] = number
        except Exception:
            self._unhashable.setdefault(_class_of(value), []).append(number)
        return number

    def all(self, values: Iterable[Any]) -> tuple[int, ...]:
        return tuple(map(self, values))


def _class_of(value: Any) -> Hashable:
    """A value's class, and that of the value within a component."""
    return value.__class__, getattr(value, "type", None)


def equal(first: Any, second: Any) -> bool:
    """Whether two values are equal; False if the program's `==` fails, or answers with an array."""
    try:
        return first is second or bool(first == second)
    except Exception:
        return False
