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
    MadeFunction,
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
from jitinspect.jaxapi.jits.snapshots import snapshot
from jitinspect.jaxapi.keys.context import context_names, context_values
from jitinspect.jaxapi.keys.fast_path import looked_up_values, not_looked_up
from jitinspect.model import ReasonKind
from jitinspect.process.paths import relative
from jitinspect.process.tracebacks import message_of

LEAF_KINDS: tuple[ReasonKind, ...] = (
    "shape", "dtype", "weak_type", "committed", "device", "sharding", "memory_kind", "layout",
)  # fmt: skip
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_MESHES = ("mesh_context_manager", "abstract_mesh_context_manager")


class arguments:
    """The container of `*args`, as the type of a `Node`."""


class Parameter(NamedTuple):
    """One parameter of a call; `form` is how it was passed."""

    where: str
    form: str
    static: bool
    value: Any


class Leaf(NamedTuple):
    """One leaf: the ids of its components, its type for the trace cache, its placement if it is committed.

    `is_jax_array` is False for values that JAX converts to one.
    """

    ids: tuple[int, ...]
    traced: int | None
    placed: Hashable
    device: str | None = None
    is_jax_array: bool = False


class Context(NamedTuple):
    """The settings and the mesh around a call: the ids of all that a trace depends on, those of them that the
    fast path looks up as well, and the id of what it looks up besides.
    """

    traced: tuple[int, ...] = ()
    looked_up: tuple[int, ...] = ()
    besides: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class CallKey:
    """`signature` for comparisons, and the keys that JAX's caches look up for the call.

    `form` is what a trace depends on but the context; `placed` is how arrays are placed, `devices` where,
    `default_device` where uncommitted ones go; the fast path also distinguishes JAX arrays from NumPy's
    (`are_jax_arrays`). `transformation` names what the call is under, such as `vmap over 4`.
    """

    signature: Signature
    form: Hashable
    context: Context
    placed: Hashable
    devices: frozenset[str]
    default_device: Hashable
    are_jax_arrays: tuple[bool, ...]
    transformation: str | None

    @property
    def traced(self) -> Hashable:
        """Equal for calls that share a trace."""
        return self.form, self.context.traced

    @property
    def written(self) -> Hashable:
        """Equal for calls that only settings can tell apart, and only such as the fast path ignores."""
        return self.form, self.context.looked_up

    @property
    def execution(self) -> Hashable:
        """The key of a jit's fast path; calls with the same key use the same executable."""
        return self.written, self.context.besides, self.placement, self.are_jax_arrays

    @property
    def placement(self) -> Hashable:
        """How arrays are placed, and where."""
        return self.placed, self.devices, self.default_device


class SignatureReader:
    """Reads signatures, and remembers what calls have in common, so that later ones are read quickly."""

    def __init__(self) -> None:
        self.interner = Interner()
        self._leaves: dict[Hashable, Leaf] = {}
        self._forms: dict[Hashable, tuple[Form, tuple[int, ...]]] = {}
        self._context: tuple[tuple[Any, ...], Context] = ((), Context())

    def read(
        self,
        facts: JitFacts,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        filter_jit: Any = None,
    ) -> CallKey:
        """The call's signature. Through a `filter_jit` each leaf that is not an array is static.

        What is left to its default has the components that it would have if it were passed, so that a change
        of the value is seen; JAX's caches do not look at them.

        Raises TypeError for a leaf that JAX does not accept as an array.
        """
        arrays_only = filter_jit is not None
        written = dict.fromkeys(kwargs, "by keyword") if arrays_only else {}
        if arrays_only:
            args, kwargs = filter_jit_arguments(filter_jit, args, kwargs)
        parameters = list(_parameters(facts, args, kwargs))
        flat = [self._flat(parameter, arrays_only) for parameter in parameters]
        masks = _static_mask(flat, arrays_only)
        context = self._read_context()
        form, fixed, call = self._form(facts, parameters, flat, masks, arrays_only)
        own = [one for one in parameters if one.static and one.form != "default"]
        passed = [self._static(parameter.value) for parameter in own]
        looked_up = passed if KEYWORDS_HAVE_TYPES else [self._looked_up(parameter) for parameter in own]
        defaults = [
            self._default_static(parameter.value)
            for parameter in parameters
            if parameter.static and parameter.form == "default"
        ]
        leaf = self._leaf_that_could_be_static if arrays_only else self._leaf
        leaves: list[Leaf] = []
        unused: list[Leaf] = []
        for parameter, (values, _), mask in zip(parameters, flat, masks, strict=True):
            (unused if parameter.form == "default" else leaves).extend(
                self._static_leaf(value) if static else leaf(value)
                for value, static in zip(values, mask, strict=True)
            )
        under = transformation(
            (parameter.where, leaf)
            for parameter, (values, _) in zip(parameters, flat, strict=True)
            for leaf in values
        )
        transformed = self.interner(under)
        of_leaves = chain.from_iterable([leaf.ids for leaf in (*leaves, *unused)])
        ids = (*fixed, *passed, *defaults, *of_leaves, transformed, *context.traced)
        return CallKey(
            Signature(form, ids, written),
            (call, (*looked_up, transformed), tuple([leaf.traced for leaf in leaves])),
            context,
            tuple([leaf.placed for leaf in leaves]),
            frozenset([leaf.device for leaf in leaves if leaf.device is not None]),
            option("jax_default_device"),
            tuple([leaf.is_jax_array for leaf in leaves]),
            under,
        )

    def try_to_read(
        self, facts: JitFacts, args: tuple[Any, ...], kwargs: Mapping[str, Any], filter_jit: Any = None
    ) -> tuple[CallKey | None, str]:
        """The signature, or None and what prevented it: the program's classes may raise anything, and JAX
        does not accept every argument.
        """
        try:
            return self.read(facts, args, kwargs, filter_jit), ""
        except Exception as error:
            return None, message_of(error)[:200]

    def _flat(self, parameter: Parameter, arrays_only: bool) -> tuple[list[Any], Any]:
        """The leaves and the tree of a parameter; none for a static one, nor for a default that cannot be
        traced, such as a function: that is a constant of the program.
        """
        if parameter.static:
            return [], None
        if parameter.form != "default":
            return jax.tree_util.tree_flatten(parameter.value)
        try:
            values, tree = jax.tree_util.tree_flatten(parameter.value)
            for value in values:
                self._static_leaf(value) if arrays_only and not _is_array(value) else self._leaf(value)
        except (TypeError, ValueError, OverflowError):
            return [], None
        return values, tree

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

    def _new_leaf(self, facts: LeafFacts, is_jax_array: bool) -> Leaf:
        """A trace also depends on the mesh and the memory space: they are part of JAX's type of an array."""
        placed = facts.committed is not None
        components = facts._replace(
            sharding=facts.sharding or ("one device" if placed else None),
            layout=facts.layout or (DEFAULT_LAYOUT if placed else None),
        )
        ids = tuple(ABSENT if value is None else self.interner(value) for value in components)
        traced = self.interner((facts[:3], facts.mesh, facts.memory_space))
        where = (components.sharding, facts.memory_kind, facts.layout) if facts.committed else None
        return Leaf(
            ids[: len(LEAF_KINDS)], traced, where, facts.device if facts.committed else None, is_jax_array
        )

    def _static(self, value: Any, compared_as: type | None = None) -> int:
        """Raises ValueError for a value that is not hashable, as JAX does."""
        try:
            hash(value)
        except Exception as error:
            raise ValueError(f"Non-hashable static arguments are not supported: {error}") from None
        kind = compared_as or type(value)
        known = self.interner.find(Static(kind, value))
        return self.interner.add(Static(kind, value, snapshot(value, True))) if known is None else known

    def _looked_up(self, parameter: Parameter) -> int:
        """For a JAX that compares static values by keyword by `==` alone."""
        return self._static(parameter.value, object if parameter.form == "by keyword" else None)

    def _default_static(self, value: Any) -> int:
        """A default that was not passed: JAX does not look at it."""
        try:
            return self._static(value)
        except ValueError:  # not hashable
            return self._static(id(value), type(value))

    def _read_context(self) -> Context:
        values = (*context_values(), *looked_up_values())
        if values != self._context[0]:
            self._context = (values, self._new_context(values))
        return self._context[1]

    def _new_context(self, values: tuple[Any, ...]) -> Context:
        names, ignored = context_names(), not_looked_up()
        ids = self.interner.all(map(_setting, names, values))
        kept = tuple(number for name, number in zip(names, ids, strict=True) if name not in ignored)
        return Context(ids, kept, self.interner(values[len(names) :]))

    def _form(
        self,
        facts: JitFacts,
        parameters: list[Parameter],
        flat: list[tuple[list[Any], Any]],
        statics: list[list[bool]],
        arrays_only: bool,
    ) -> tuple[Form, tuple[int, ...], Hashable]:
        """The form of a call, the ids of the components that it fixes, and what a trace depends on."""
        trees = [self.interner(tree) for _, tree in flat]  # metadata may be neither hashable nor comparable
        count = sum(parameter.form != "default" for parameter in parameters)  # the defaults come last
        call = (
            tuple((parameter.where, parameter.form, parameter.static) for parameter in parameters[:count]),
            tuple(trees[:count]),
            tuple(map(tuple, statics[:count])) if any(map(any, statics[:count])) else None,
        )
        defaults = (tuple(trees[count:]), tuple(map(tuple, statics[count:])))
        key = (facts.function, facts.group, facts.read, call, defaults, len(self._context[1].traced))
        known = self._forms.get(key)
        if known is None:
            known = self._forms[key] = self._new_form(facts, parameters, flat, statics, arrays_only)
        return *known, call

    def _new_form(
        self,
        facts: JitFacts,
        parameters: list[Parameter],
        flat: list[tuple[list[Any], Any]],
        statics: list[list[bool]],
        arrays_only: bool,
    ) -> tuple[Form, tuple[int, ...]]:
        """Forms are kept for each function, but all functions of one lineage share the `Form` object."""
        fixed: list[tuple[Slot, Hashable]] = [(Slot("new_function", None), _made_function(facts))]
        fixed += [(Slot("jit_options", name), value) for name, value in facts.options.items()]
        fixed += [(Slot("closure", name), token) for name, token in facts.closure]
        fixed += [
            (Slot("call_form", parameter.where), parameter.form) for parameter in parameters if parameter.form
        ]
        leaves: list[Slot] = []
        for parameter, (values, tree), mask in zip(parameters, flat, statics, strict=True):
            if tree is None:
                continue
            found, paths = nodes(parameter.value, tree)
            fixed += [(Slot("structure", f"{parameter.where}{path}"), node) for path, node in found]
            for path, static, _ in zip(paths, mask, values, strict=True):
                kinds: tuple[ReasonKind, ...] = ("static_value",) if arrays_only else ()
                kinds += () if static else LEAF_KINDS
                leaves += [Slot(kind, f"{parameter.where}{path}") for kind in kinds]
        if (variadic := _variadic(facts)) is not None:
            count = sum(parameter.where.startswith(f"{variadic}[") for parameter in parameters)
            fixed.append((Slot("structure", variadic), Node(arguments, count)))
        if (options := _variadic(facts, inspect.Parameter.VAR_KEYWORD)) is not None:
            names = tuple(
                parameter.where[len(options) + 2 : -2]
                for parameter in parameters
                if f"{options}[" in parameter.where
            )
            fixed.append((Slot("structure", options), Node(dict, names)))
        static_slots = [Slot("static_value", parameter.where) for parameter in parameters if parameter.static]
        context = [Slot("mesh" if name in _MESHES else "config", name) for name in context_names()]
        slots = (*(slot for slot, _ in fixed), *static_slots, *leaves, Slot("transformation", None), *context)
        return self._shared(slots), self.interner.all(value for _, value in fixed)

    def _shared(self, slots: tuple[Slot, ...]) -> Form:
        known = self._forms.get(slots)
        if known is None:
            known = self._forms[slots] = (Form(slots), ())
        return known[0]


def refuse_arrays_as_statics(facts: JitFacts, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Raises ValueError for a planned array as a static argument: its type is hashable, but the array that
    the call would get is not.
    """
    for parameter in _parameters(facts, args, kwargs):
        if parameter.static and any(
            isinstance(leaf, jax.ShapeDtypeStruct) for leaf in jax.tree.leaves(parameter.value)
        ):
            raise ValueError(
                f"Non-hashable static arguments are not supported: {parameter.where} is an array"
            )


def _made_function(facts: JitFacts) -> MadeFunction:
    return MadeFunction(facts.function, relative(facts.definition), facts.left_out, facts.bound_to)


def _static_mask(flat: list[tuple[list[Any], Any]], arrays_only: bool) -> list[list[bool]]:
    if not arrays_only:
        return [[False] * len(values) for values, _ in flat]
    return [[not _is_array(value) for value in values] for values, _ in flat]


def _is_array(value: Any) -> bool:
    return isinstance(value, jax.Array | np.ndarray | np.generic | jax.ShapeDtypeStruct)


def _setting(name: str, value: Any) -> Hashable:
    """A setting in a form that compares and reads well: meshes by their axes."""
    if name == "mesh_context_manager":
        return "; ".join(map(mesh_text, value)) or "no mesh"
    if name == "abstract_mesh_context_manager":
        return mesh_text(value) or "no mesh" if value is not None else "no mesh"
    return value  # type: ignore[no-any-return]


def _parameters(facts: JitFacts, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterator[Parameter]:
    """The value of each parameter, and how it was passed; those left to their defaults come last."""
    parameters = facts.parameters
    names = [name for name, parameter in parameters.items() if parameter.kind in _POSITIONAL]
    variadic, keywords = _variadic(facts), _variadic(facts, inspect.Parameter.VAR_KEYWORD)
    for index, value in enumerate(args):
        if index < len(names):
            where, form = names[index], "by position"
        else:
            where, form = f"{variadic or 'args'}[{index - len(names) if variadic else index}]", ""
        static = index in facts.static_nums or where in facts.static_names
        yield Parameter(where, form, static, value)
    for name in sorted(kwargs):
        where = name if name in parameters or keywords is None else f"{keywords}[{name!r}]"
        yield Parameter(where, "by keyword", name in facts.static_names, kwargs[name])
    for name, parameter in parameters.items():
        left = name not in kwargs and name not in names[: len(args)]
        if left and parameter.default is not parameter.empty:
            static = name in facts.static_names or (name in names and names.index(name) in facts.static_nums)
            yield Parameter(name, "default", static, parameter.default)


def _variadic(facts: JitFacts, kind: Any = inspect.Parameter.VAR_POSITIONAL) -> str | None:
    return next((name for name, parameter in facts.parameters.items() if parameter.kind is kind), None)
