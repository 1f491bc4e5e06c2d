"""A call's arguments and context → the components that JAX's caches compare (`explain.Signature`)."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np

from jitinspect.calls.explain import (
    ABSENT,
    DEFAULT_LAYOUT,
    LEAF,
    Form,
    Interner,
    KnownSettings,
    MadeFunction,
    Node,
    Signature,
    Slot,
    Static,
)
from jitinspect.calls.trees import nodes
from jitinspect.jaxapi.arrays.leaves import (
    LeafFacts,
    leaf_facts,
    leaf_keys,
    leaf_sort,
    mesh_text,
    transformation,
    x64,
)
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
_MESHES = ("mesh_context_manager", "abstract_mesh_context_manager")
_SETTINGS = Slot("config", "JAX's settings")
"""Which there are, whatever their values."""


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

    `is_jax_array` is False for values that JAX converts to one, `is_tracer` True within a transformation.
    """

    ids: tuple[int, ...]
    traced: int
    placed: Hashable
    device: str | None = None
    is_jax_array: bool = False
    is_tracer: bool = False


class Context(NamedTuple):
    """The settings and the mesh around a call: the ids of all that a trace depends on; then, as one id each,
    all of these, those of them that the fast path looks up as well, and what it looks up besides.
    """

    ids: tuple[int, ...] = ()
    traced: int = 0
    looked_up: int = 0
    besides: int = 0


@dataclass(slots=True, eq=False)  # not frozen: it takes longer to make one
class CallKey:
    """`signature` for comparisons, and the keys that JAX's caches look up for the call.

    `form` is the id of what a trace depends on but the context; `placed` is how arrays are placed,
    `devices` where, `default_device` where uncommitted ones go; the fast path also distinguishes JAX's arrays
    from NumPy's (`are_jax_arrays`). `transformation` names what the call is under, such as `vmap over 4`.
    """

    signature: Signature
    form: int
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
        self._known: dict[bool, dict[Hashable, Leaf]] = {False: {}, True: {}}  # under `x64`, or not
        self._sorts: dict[bool, dict[Hashable, tuple[Leaf, int]]] = {False: {}, True: {}}
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
        parameters = _parameters(facts, args, kwargs)
        flat = [self._flat(parameter, arrays_only) for parameter in parameters]
        masks = _static_mask(flat, arrays_only)
        context = self._read_context()
        form, fixed, call = self._form(facts, parameters, flat, masks, arrays_only)
        statics, looked_up = self._statics([one for one in parameters if one.static])
        leaves, unused = self._leaves_of(parameters, flat, masks, arrays_only)
        columns = zip(*leaves, strict=True) if leaves else ((),) * len(Leaf._fields)
        ids, traced, placed, devices, are_jax_arrays, are_tracers = columns
        under = _transformation(parameters, flat) if True in are_tracers else None
        transformed = self.interner(under)
        of_defaults = [leaf.ids for leaf in unused]
        parts = (fixed, tuple(statics), *ids, *of_defaults, (transformed,), context.ids)
        return CallKey(
            Signature(form, parts, written),
            self.interner((call, (*looked_up, transformed), traced)),
            context,
            placed,
            frozenset(devices) - {None},
            option("jax_default_device"),
            are_jax_arrays,
            under,
        )

    def _statics(self, parameters: list[Parameter]) -> tuple[list[int], list[int]]:
        """The ids of static values, and of what JAX looks up of them; the defaults come last."""
        passed = [one for one in parameters if one.form != "default"]
        ids = [self._static(one.value) for one in passed]
        looked_up = ids if KEYWORDS_HAVE_TYPES else [self._looked_up(one) for one in passed]
        defaults = [self._default_static(one.value) for one in parameters if one.form == "default"]
        return ids + defaults, looked_up

    def _leaves_of(
        self,
        parameters: list[Parameter],
        flat: list[tuple[list[Any], Any]],
        masks: list[list[bool]],
        arrays_only: bool,
    ) -> tuple[list[Leaf], list[Leaf]]:
        """Those that are passed, and those of defaults."""
        passed: list[Leaf] = []
        unused: list[Leaf] = []
        for parameter, (values, _), mask in zip(parameters, flat, masks, strict=True):
            found = unused if parameter.form == "default" else passed
            if arrays_only:
                found += map(self._leaf_that_could_be_static, values, mask)
            else:
                found += self._leaves(values)
        return passed, unused

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

    def _leaf_that_could_be_static(self, value: Any, static: bool) -> Leaf:
        if static:
            return self._static_leaf(value)
        leaf = self._leaf(value)
        return leaf._replace(ids=(self.interner(LEAF), *leaf.ids))

    def _leaves(self, values: list[Any]) -> list[Leaf]:
        known, keys = self._known[x64()], leaf_keys(values)
        return [known.get(key) or self._new_leaf(key, value) for key, value in zip(keys, values, strict=True)]

    def _leaf(self, value: Any) -> Leaf:
        return self._leaves([value])[0]

    def _new_leaf(self, key: Hashable, value: Any) -> Leaf:
        known = self._known[x64()][key] = self._leaf_like_another(value)
        return known

    def _leaf_like_another(self, leaf: Any) -> Leaf:
        """What is known of one of the same sort does not have to be found out again."""
        sorts, sort = self._sorts[x64()], leaf_sort(leaf)
        known = sorts.get(sort) if sort is not None else None
        if known is None:
            known = self._leaf_of(leaf_facts(leaf), isinstance(leaf, jax.Array))
            if sort is not None:
                sorts[sort] = known
            return known[0]
        like, but_for_shape = known
        shape = self.interner(tuple(leaf.shape))
        return Leaf((shape, *like.ids[1:]), self.interner((shape, but_for_shape)), *like[2:])

    def _leaf_of(self, facts: LeafFacts, is_jax_array: bool) -> tuple[Leaf, int]:
        """The leaf, and the id of what its trace depends on besides the shape: also the mesh and the memory
        space, which are part of JAX's type of an array.
        """
        placed = facts.committed is not None
        components = facts._replace(
            sharding=facts.sharding or ("one device" if placed else None),
            layout=facts.layout or (DEFAULT_LAYOUT if placed else None),
        )
        ids = tuple(ABSENT if value is None else self.interner(value) for value in components)
        but_for_shape = self.interner((facts[1:3], facts.mesh, facts.memory_space))
        traced = self.interner((ids[0], but_for_shape))
        where = (components.sharding, facts.memory_kind, facts.layout) if facts.committed else None
        device = facts.device if facts.committed else None
        leaf = Leaf(ids[: len(LEAF_KINDS)], traced, where, device, is_jax_array, not placed)
        return leaf, but_for_shape

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
        ids = (*ids, self.interner(KnownSettings(names)))
        return Context(ids, *self.interner.all((ids, kept, values[len(names) :])))

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
        key = (facts.function, facts.group, facts.read, call, defaults, len(self._context[1].ids))
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
        if (variadic := facts.variadic) is not None:
            count = sum(parameter.where.startswith(f"{variadic}[") for parameter in parameters)
            fixed.append((Slot("structure", variadic), Node(arguments, count)))
        if (options := facts.keywords) is not None:
            names = tuple(
                parameter.where[len(options) + 2 : -2]
                for parameter in parameters
                if f"{options}[" in parameter.where
            )
            fixed.append((Slot("structure", options), Node(dict, names)))
        static_slots = [Slot("static_value", parameter.where) for parameter in parameters if parameter.static]
        context = [Slot("mesh" if name in _MESHES else "config", name) for name in context_names()]
        context.append(_SETTINGS)
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


def _transformation(parameters: list[Parameter], flat: list[tuple[list[Any], Any]]) -> str | None:
    return transformation(
        (parameter.where, leaf)
        for parameter, (values, _) in zip(parameters, flat, strict=True)
        for leaf in values
    )


def _is_array(value: Any) -> bool:
    return isinstance(value, jax.Array | np.ndarray | np.generic | jax.ShapeDtypeStruct)


def _setting(name: str, value: Any) -> Hashable:
    """A setting in a form that compares and reads well: meshes by their axes."""
    if name == "mesh_context_manager":
        return "; ".join(map(mesh_text, value)) or "no mesh"
    if name == "abstract_mesh_context_manager":
        return mesh_text(value) or "no mesh" if value is not None else "no mesh"
    return value  # type: ignore[no-any-return]


def _parameters(facts: JitFacts, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Parameter]:
    """The value of each parameter, and how it was passed; those left to their defaults come last."""
    names, keywords = facts.positional, facts.keywords
    by_name = zip(names, args, strict=False)
    found = [Parameter(name, "by position", static, value) for (name, static), value in by_name]
    if len(args) > len(names):
        found += _further(facts, args)
    for name in sorted(kwargs):
        where = name if name in facts.parameters or keywords is None else f"{keywords}[{name!r}]"
        found.append(Parameter(where, "by keyword", name in facts.static_names, kwargs[name]))
    if facts.defaults:
        passed = {one.where for one in found}
        left = ((name, "default", *rest) for name, *rest in facts.defaults if name not in passed)
        found += itertools.starmap(Parameter, left)
    return found


def _further(facts: JitFacts, args: tuple[Any, ...]) -> Iterator[Parameter]:
    """The arguments by position that have no name of their own."""
    named = len(facts.positional)
    for index in range(named, len(args)):
        where = f"{facts.variadic}[{index - named}]" if facts.variadic else f"args[{index}]"
        yield Parameter(where, "", index in facts.static_nums, args[index])
