"""Argument specs as frozen dataclasses; `str(spec)` is the text that parses to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Dimension = int | str
"""A size, or the name of one."""


@dataclass(frozen=True, slots=True)
class Device:
    """`@cpu:1`: committed to that device."""

    platform: str
    index: int

    def __str__(self) -> str:
        return f"@{self.platform}:{self.index}"


@dataclass(frozen=True, slots=True)
class Sharding:
    """`@P('data',None)`: for each dimension, no mesh axis, one, or several."""

    partitions: tuple[str | tuple[str, ...] | None, ...]

    def __str__(self) -> str:
        return f"@P({','.join(map(repr, self.partitions))})"


Placement = Device | Sharding


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """`f32[128,784]`, `f32[]{weak}`, `f32[B,784]@cpu:1`; `dtype` is JAX's short name."""

    dtype: str
    shape: tuple[Dimension, ...]
    weak: bool = False
    placement: Placement | None = None

    def __str__(self) -> str:
        weak = "{weak}" if self.weak else ""
        return f"{self.dtype}[{','.join(map(str, self.shape))}]{weak}{self.placement or ''}"


@dataclass(frozen=True, slots=True)
class KeySpec:
    """`key[]`, `key<rbg>[4]`: typed PRNG keys; of the default implementation if `impl` is None."""

    impl: str | None
    shape: tuple[Dimension, ...]
    placement: Placement | None = None

    def __str__(self) -> str:
        impl = f"<{self.impl}>" if self.impl else ""
        return f"key{impl}[{','.join(map(str, self.shape))}]{self.placement or ''}"


@dataclass(frozen=True, slots=True, eq=False)
class ValueSpec:
    """A Python value. Equal only to a value of the same type, like a static argument: `1` is not `True`."""

    value: Any

    def __str__(self) -> str:
        if isinstance(self.value, complex):
            return repr(self.value).strip("()")
        if isinstance(self.value, int) and self.value.bit_length() > 4000:
            return hex(self.value)  # Python refuses to print it in decimal (from 4300 digits on)
        return repr(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ValueSpec) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[type, str]:
        """Compares by text, so that a NaN equals itself and 0.0 is not -0.0."""
        return type(self.value), str(self)


@dataclass(frozen=True, slots=True)
class DictSpec:
    """`{'w': f32[3]}`: the items in the order written."""

    items: tuple[tuple[Any, Spec], ...]

    def __str__(self) -> str:
        return "{" + ", ".join(f"{key!r}: {item}" for key, item in self.items) + "}"


@dataclass(frozen=True, slots=True)
class ListSpec:
    """`[f32[3], f32[3]]`."""

    items: tuple[Spec, ...]

    def __str__(self) -> str:
        return f"[{', '.join(map(str, self.items))}]"


@dataclass(frozen=True, slots=True)
class TupleSpec:
    """`(f32[3], 2)`."""

    items: tuple[Spec, ...]

    def __str__(self) -> str:
        return f"({', '.join(map(str, self.items))}{',' if len(self.items) == 1 else ''})"


Leaf = ArraySpec | KeySpec | ValueSpec
Spec = Leaf | DictSpec | ListSpec | TupleSpec


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call, by position or by name."""

    name: str | None
    spec: Spec

    def __str__(self) -> str:
        return str(self.spec) if self.name is None else f"{self.name}={self.spec}"


@dataclass(frozen=True, slots=True)
class CallSpec:
    """`predict(f32[128,784], training=True)`: positional arguments first."""

    function: str
    arguments: tuple[Argument, ...]

    def __str__(self) -> str:
        return f"{self.function}({', '.join(map(str, self.arguments))})"


@dataclass(frozen=True, slots=True)
class ScriptCall:
    """A call that a script asks for.

    `ref` is the called function as a target (`samples.mlp:loss_fn`), `call.function` its name in
    the script; `at` is where the call is: `samples/seed.calls:2`. `config` holds JAX's settings for
    the call, each once. The call is to be made `repeat` times. `passed_over` are the keys of its
    line that have no meaning here.
    """

    ref: str
    call: CallSpec
    at: str
    config: tuple[tuple[str, Any], ...] = ()
    repeat: int = 1
    passed_over: tuple[str, ...] = field(default=(), compare=False)


def leaves(spec: Spec) -> Iterator[Leaf]:
    """The arrays, keys and values of a pytree, in the order written."""
    match spec:
        case DictSpec(items):
            for _, item in items:
                yield from leaves(item)
        case ListSpec(items) | TupleSpec(items):
            for item in items:
                yield from leaves(item)
        case ArraySpec() | KeySpec() | ValueSpec():
            yield spec


def bind(spec: Spec, dims: Mapping[str, int]) -> Spec:
    """The spec with the named dimensions that are in `dims` replaced by their sizes."""
    match spec:
        case ArraySpec() | KeySpec():
            return replace(spec, shape=tuple(dims.get(d, d) if isinstance(d, str) else d for d in spec.shape))
        case DictSpec(items):
            return DictSpec(tuple((key, bind(item, dims)) for key, item in items))
        case ListSpec(items):
            return ListSpec(tuple(bind(item, dims) for item in items))
        case TupleSpec(items):
            return TupleSpec(tuple(bind(item, dims) for item in items))
        case ValueSpec():
            return spec


def bind_call(call: ScriptCall, dims: Mapping[str, int]) -> ScriptCall:
    """The call with `bind` applied to each of its arguments."""
    if not dims:
        return call
    arguments = (Argument(argument.name, bind(argument.spec, dims)) for argument in call.call.arguments)
    return replace(call, call=CallSpec(call.call.function, tuple(arguments)))


def free_dims(spec: Spec) -> tuple[str, ...]:
    """The names of the dimensions that have no size yet, each once, in order."""
    shapes = [leaf.shape for leaf in leaves(spec) if not isinstance(leaf, ValueSpec)]
    return tuple(dict.fromkeys(d for shape in shapes for d in shape if isinstance(d, str)))
