"""A call's arguments and context → the components that JAX's caches compare (`explain.Signature`)."""

from __future__ import annotations

import inspect
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import jax
import numpy as np

from jitinspect.calls.explain import (
    ABSENT,
    DEFAULT_LAYOUT,
    LEAF,
    Form,
    Interner,
    Node,
    Signature,
    Slot,
    Static,
)
from jitinspect.calls.trees import nodes
from jitinspect.jaxapi.arrays.leaves import LeafFacts, leaf_facts, leaf_key, mesh_text, transformation
from jitinspect.jaxapi.devices import option
from jitinspect.jaxapi.jits.facts import KEYWORDS_HAVE_TYPES, JitFacts
from jitinspect.jaxapi.jits.filter_jit import filter_jit_arguments
from jitinspect.jaxapi.keys.context import context_names, context_values
from jitinspect.model import ReasonKind

LEAF_KINDS: tuple[ReasonKind, ...] = (
    "shape", "dtype", "weak_type", "committed", "device", "sharding", "memory_kind", "layout",
)  # fmt: skip
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_MESHES = ("mesh_context_manager", "abstract_mesh_context_manager")


class arguments:
    """The container of `*args`, as the type of a `Node`."""


class Given(NamedTuple):
    """One parameter of a call: `value` is there unless it was left to a default that is traced."""

    where: str
    form: str
    static: bool
    value: Any


class Leaf(NamedTuple):
    """One leaf: the ids of its components, its type for the trace cache, its placement if it is committed.

    `own` tells JAX's own arrays from what JAX makes one of.
    """

    ids: tuple[int, ...]
    traced: int | None
    placed: Hashable
    device: str | None = None
    own: bool = False


class _Unset:
    """No value: the parameter was left to its default."""


@dataclass(frozen=True, slots=True, eq=False)
class CallKey:
    """`signature` for comparisons, and what JAX's caches look up the call by.

    `traced` is equal for calls that share a trace; `placed` tells how arrays are placed, `devices` where,
    `default_device` where those go that are not committed; `own` tells JAX's own arrays from NumPy's, as the
    fast path does. `transformation` names what the call is under, such as `vmap over 4`.
    """

    signature: Signature
    traced: Hashable
    placed: Hashable
    devices: frozenset[str]
    default_device: Hashable
    own: tuple[bool, ...]
    transformation: str | None

    @property
    def execution(self) -> Hashable:
        """What the fast path of a jit is looked up by; its calls that are equal in it use one executable."""
        return self.traced, self.placed, self.devices, self.default_device, self.own


class SignatureReader:
    """Reads signatures, and remembers what calls have in common, so that a later one is read quickly."""

    def __init__(self) -> None:
        self.interner = Interner()
        self._leaves: dict[Hashable, Leaf] = {}
        self._forms: dict[Hashable, tuple[Form, tuple[int, ...]]] = {}
        self._context: tuple[tuple[Any, ...], tuple[int, ...]] = ((), ())

    def read(
        self,
        facts: JitFacts,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        filter_jit: Any = None,
    ) -> CallKey:
        """The call's signature. Through a `filter_jit` each leaf that is no array is static.

        Raises TypeError for a leaf that JAX does not take as an array.
        """
        arrays_only = filter_jit is not None
        if arrays_only:
            args, kwargs = filter_jit_arguments(filter_jit, args, kwargs)
        given = list(_given(facts, args, kwargs))
        flat = [
            ([], None) if one.static or one.value is _Unset else jax.tree_util.tree_flatten(one.value)
            for one in given
        ]
        statics = _static_mask(flat, arrays_only)
        context = self._context_ids()
        form, fixed, call = self._form(facts, given, flat, statics, arrays_only)
        own = [one for one in given if one.static and one.form != "default"]
        passed = [self._static(one.value) for one in own]
        looked_up = passed if KEYWORDS_HAVE_TYPES else [self._looked_up(one) for one in own]
        left = [self._left_static(one.value) for one in given if one.static and one.form == "default"]
        leaf = self._leaf_that_could_be_static if arrays_only else self._leaf
        leaves = [
            self._static_leaf(value) if static else leaf(value)
            for (values, _), mask in zip(flat, statics, strict=True)
            for value, static in zip(values, mask, strict=True)
        ]
        under = transformation(
            (one.where, leaf) for one, (values, _) in zip(given, flat, strict=True) for leaf in values
        )
        common = (self.interner(under), *context)
        ids = (*fixed, *passed, *left, *chain.from_iterable([leaf.ids for leaf in leaves]), *common)
        return CallKey(
            Signature(form, ids),
            (call, (*looked_up, *common), tuple([leaf.traced for leaf in leaves])),
            tuple([leaf.placed for leaf in leaves]),
            frozenset([leaf.device for leaf in leaves if leaf.device is not None]),
            option("jax_default_device"),
            tuple([leaf.own for leaf in leaves]),
            under,
        )

    def _static_leaf(self, value: Any) -> Leaf:
        """equinox passes all static leaves in one tuple, which is compared by `==` (0.13.8)."""
        number = self._static(value, object)
        return Leaf((number,), number, None)

    def _leaf_that_could_be_static(self, value: Any) -> Leaf:
        leaf = self._leaf(value)
        return leaf._replace(ids=(self.interner(LEAF), *leaf.ids))

    def _leaf(self, leaf: Any) -> Leaf:
        key = leaf_key(leaf)
        known = self._leaves.get(key)
        if known is None:
            known = self._leaves[key] = self._new_leaf(leaf_facts(leaf), isinstance(leaf, jax.Array))
        return known

    def _new_leaf(self, facts: LeafFacts, own: bool) -> Leaf:
        """A trace hangs on the mesh and the memory space, too: JAX's own type of an array has them."""
        placed = facts.committed is not None
        told = facts._replace(
            sharding=facts.sharding or ("one device" if placed else None),
            layout=facts.layout or (DEFAULT_LAYOUT if placed else None),
        )
        ids = tuple(ABSENT if value is None else self.interner(value) for value in told)
        traced = self.interner((facts[:3], facts.mesh, facts.memory_space))
        where = (told.sharding, facts.memory_kind, facts.layout) if facts.committed else None
        return Leaf(ids[: len(LEAF_KINDS)], traced, where, facts.device if facts.committed else None, own)

    def _static(self, value: Any, compared_as: type | None = None) -> int:
        """Raises ValueError for a value that is not hashable, as JAX does."""
        try:
            return self.interner(Static(compared_as or type(value), value))
        except TypeError as error:
            raise ValueError(f"Non-hashable static arguments are not supported: {error}") from None

    def _looked_up(self, one: Given) -> int:
        """Where JAX compares static values by keyword by `==` alone."""
        return self._static(one.value, object if one.form == "by keyword" else None)

    def _left_static(self, value: Any) -> int:
        """A default that is not passed: JAX does not look at it."""
        try:
            return self._static(value)
        except ValueError:  # not hashable
            return self._static(id(value), type(value))

    def _context_ids(self) -> tuple[int, ...]:
        values = context_values()
        if values != self._context[0]:
            names = context_names()
            told = (_setting(name, value) for name, value in zip(names, values, strict=True))
            self._context = (values, self.interner.all(told))
        return self._context[1]

    def _form(
        self,
        facts: JitFacts,
        given: list[Given],
        flat: list[tuple[list[Any], Any]],
        statics: list[list[bool]],
        arrays_only: bool,
    ) -> tuple[Form, tuple[int, ...], Hashable]:
        """The form of a call, the ids of those components that it fixes, and what of it a trace hangs on."""
        call = (
            tuple((one.where, one.form, one.static) for one in given if one.form != "default"),
            tuple(tree for one, (_, tree) in zip(given, flat, strict=True) if one.form != "default"),
            tuple(map(tuple, statics)) if any(map(any, statics)) else None,
        )
        key = (facts.function, facts.group, call, len(self._context[1]))
        known = self._forms.get(key)
        if known is None:
            known = self._forms[key] = self._new_form(facts, given, flat, statics, arrays_only)
        return *known, call

    def _new_form(
        self,
        facts: JitFacts,
        given: list[Given],
        flat: list[tuple[list[Any], Any]],
        statics: list[list[bool]],
        arrays_only: bool,
    ) -> tuple[Form, tuple[int, ...]]:
        """A form is told apart by function, too, but its `Form` is shared by all functions of one lineage."""
        fixed: list[tuple[Slot, Hashable]] = [(Slot("new_function", None), facts.function)]
        fixed += [(Slot("jit_options", name), value) for name, value in facts.options.items()]
        fixed += [(Slot("closure", name), token) for name, token in facts.closure]
        fixed += [(Slot("call_form", one.where), one.form) for one in given if one.form]
        leaves: list[Slot] = []
        for one, (values, tree), mask in zip(given, flat, statics, strict=True):
            if tree is None:
                continue
            found, paths = nodes(one.value, tree)
            fixed += [(Slot("structure", f"{one.where}{path}"), node) for path, node in found]
            for path, static, _ in zip(paths, mask, values, strict=True):
                kinds: tuple[ReasonKind, ...] = ("static_value",) if arrays_only else ()
                kinds += () if static else LEAF_KINDS
                leaves += [Slot(kind, f"{one.where}{path}") for kind in kinds]
        if (variadic := _variadic(facts)) is not None:
            count = sum(one.where.startswith(f"{variadic}[") for one in given)
            fixed.append((Slot("structure", variadic), Node(arguments, count)))
        if (options := _variadic(facts, inspect.Parameter.VAR_KEYWORD)) is not None:
            names = tuple(one.where[len(options) + 2 : -2] for one in given if f"{options}[" in one.where)
            fixed.append((Slot("structure", options), Node(dict, names)))
        own = [Slot("static_value", one.where) for one in given if one.static]
        context = [Slot("mesh" if name in _MESHES else "config", name) for name in context_names()]
        slots = (*(slot for slot, _ in fixed), *own, *leaves, Slot("transformation", None), *context)
        return self._shared(slots), self.interner.all(value for _, value in fixed)

    def _shared(self, slots: tuple[Slot, ...]) -> Form:
        known = self._forms.get(slots)
        if known is None:
            known = self._forms[slots] = (Form(slots), ())
        return known[0]


def refuse_arrays_as_statics(facts: JitFacts, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Raises ValueError for a planned array as a static argument: its type can be hashed; the array that the
    call would have cannot.
    """
    for one in _given(facts, args, kwargs):
        if one.static and any(isinstance(leaf, jax.ShapeDtypeStruct) for leaf in jax.tree.leaves(one.value)):
            raise ValueError(f"Non-hashable static arguments are not supported: {one.where} is an array")


def _static_mask(flat: list[tuple[list[Any], Any]], arrays_only: bool) -> list[list[bool]]:
    if not arrays_only:
        return [[False] * len(values) for values, _ in flat]
    array = (jax.Array, np.ndarray, np.generic, jax.ShapeDtypeStruct)
    return [[not isinstance(value, array) for value in values] for values, _ in flat]


def _setting(name: str, value: Any) -> Hashable:
    """A setting so that it compares and reads well: meshes by their axes."""
    if name == "mesh_context_manager":
        return "; ".join(map(mesh_text, value)) or "no mesh"
    if name == "abstract_mesh_context_manager":
        return mesh_text(value) or "no mesh" if value is not None else "no mesh"
    return value  # type: ignore[no-any-return]


def _given(facts: JitFacts, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterator[Given]:
    """What each parameter was given, and how."""
    parameters = facts.parameters
    names = [name for name, parameter in parameters.items() if parameter.kind in _POSITIONAL]
    variadic, keywords = _variadic(facts), _variadic(facts, inspect.Parameter.VAR_KEYWORD)
    for index, value in enumerate(args):
        if index < len(names):
            where, form = names[index], "by position"
        else:
            where, form = f"{variadic or 'args'}[{index - len(names) if variadic else index}]", ""
        static = index in facts.static_nums or where in facts.static_names
        yield Given(where, form, static, value)
    for name in sorted(kwargs):
        where = name if name in parameters or keywords is None else f"{keywords}[{name!r}]"
        yield Given(where, "by keyword", name in facts.static_names, kwargs[name])
    for name, parameter in parameters.items():
        left = name not in kwargs and name not in names[: len(args)]
        if left and parameter.default is not parameter.empty:
            static = name in facts.static_names or (name in names and names.index(name) in facts.static_nums)
            yield Given(name, "default", static, parameter.default if static else _Unset)


def _variadic(facts: JitFacts, kind: Any = inspect.Parameter.VAR_POSITIONAL) -> str | None:
    return next((name for name, parameter in facts.parameters.items() if parameter.kind is kind), None)
