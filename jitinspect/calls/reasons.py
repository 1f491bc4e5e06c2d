"""Differences → reasons: the sentence for a person, and what to do about this very case."""

from __future__ import annotations

import inspect
import re
import shlex
import types
from collections.abc import Callable, Iterable

from jitinspect.calls.explain import Difference, Node
from jitinspect.calls.explain.values import has_equality
from jitinspect.jaxapi.jits.facts import JitFacts
from jitinspect.model import Reason, ReasonKind


def first_call(facts: JitFacts) -> Reason:
    return Reason("first_call", None, None, None, None, f"first call of {facts.name}")


def reasons(
    found: Iterable[Difference],
    facts: JitFacts,
    made_at: str | None,
    cleared: bool,
    plannable: bool = False,
) -> tuple[Reason, ...]:
    """A reason for each difference; where there is none, that the caches were cleared, if so, or unknown.

    `made_at` is the line where the jit was made that was called; `plannable` tells that the calls are those
    of a script that `--plan` takes.
    """
    told = tuple(_reason(one, facts, made_at, plannable) for one in found)
    return told or ((_cleared(facts) if cleared else _unknown(facts)),)


_SAME_PROGRAM: frozenset[ReasonKind] = frozenset(
    (
        "shape",
        "dtype",
        "weak_type",
        "call_form",
        "committed",
        "layout",
        "new_function",
        "closure",
        "cache_cleared",
    )
)
"""Causes that need not have been for the same result: sizes can be padded, functions made once."""


def avoidable(reasons: Iterable[Reason]) -> bool:
    """Whether a compilation for these reasons need not have been: each is one that the user can do away with
    and get the same result. What asks for another program (another static value that is no number, tree,
    device, setting, transformation) is not, nor what is not known.
    """
    listed = list(reasons)
    return bool(listed) and all(one.kind in _SAME_PROGRAM or _is_number(one) for one in listed)


def _is_number(reason: Reason) -> bool:
    """A static argument that is a number could be traced, and is where it is now an array and now a number,
    as equinox takes them.
    """
    values = (reason.before, reason.now)
    return reason.kind == "static_value" and all(value and _NUMBER.fullmatch(value) for value in values)


_NUMBER = re.compile(r"-?\d+(\.\d*)?(e[+-]?\d+)?|\w+\[[\d,]*\](\{weak\})?")


def _cleared(facts: JitFacts) -> Reason:
    text = "called like this before: the caches were cleared in between"
    hint = "leave out jax.clear_caches() and clear_cache(), or call them once"
    return Reason("cache_cleared", facts.name, None, None, hint, text)


def _unknown(facts: JitFacts) -> Reason:
    text = f"{facts.name} was called like this before, as far as can be seen; its entry may have been evicted"
    return Reason("unknown", None, None, None, None, text)


def after_failure(facts: JitFacts) -> Reason:
    """For a call whose like was made before, and raised."""
    text = f"no call of {facts.name} with this signature has succeeded: JAX keeps nothing of one that raises"
    return Reason("first_call", None, None, None, None, text)


def _reason(one: Difference, facts: JitFacts, made_at: str | None, plannable: bool) -> Reason:
    if one.kind == "new_function":
        return _new_function(facts, made_at)
    hint = _HINTS[one.kind](one) if one.kind in _HINTS else None
    if plannable and (dimension := _resized(one)) is not None:
        hint = f"{hint}; --plan --pad {_quoted(f'{dimension}=pow2')} counts what that saves"
    text = f"{_named(one)}: {one.before} → {one.now}"
    return Reason(one.kind, one.where, one.before, one.now, hint, text)


def _named(one: Difference) -> str:
    """Where, in words of its kind."""
    names: dict[ReasonKind, str] = {
        "closure": f"captured {one.where}",
        "jit_options": f"jax.jit({one.where}=…)",
        "transformation": "called under",
        "mesh": "mesh in context",
    }
    return names.get(one.kind, str(one.where))


def _new_function(facts: JitFacts, made_at: str | None) -> Reason:
    """Which wrapper made the function anew, and on which line."""
    by = f"{facts.wrapper} of {facts.name}" if facts.wrapper else facts.name
    place = f" at {made_at}" if made_at else ""
    text = f"{by} is a new function object, jitted again{place}"
    cure = _REMEDIES.get(facts.wrapper or "", "define and jit it once, outside of the loop or function")
    return Reason("new_function", facts.name, "an earlier function", f"made again{place}", cure, text)


_REMEDIES = {
    "functools.partial": "make and jit the partial once, or pass what it binds as an argument",
    "bound method": "jit the method once, in the class or in __init__: each obj.method is a new object",
    "jax.grad": "jit it once, outside of the loop: step = jax.jit(jax.grad(f))",
    "jax.value_and_grad": "jit it once, outside of the loop: step = jax.jit(jax.value_and_grad(f))",
    "jax.vmap": "jit it once, outside of the loop: batched = jax.jit(jax.vmap(f))",
}


def _shape(one: Difference) -> str:
    old, new = one.old, one.new
    assert isinstance(old, tuple) and isinstance(new, tuple)
    if len(old) != len(new):
        return f"{one.where} had {_dimensions(old)} and now has {len(new)}: reshape it before the call"
    axis = _first_unequal(old, new)
    if axis == 0 and new[0] < old[0]:
        return f"a smaller batch? drop the last one, or pad {one.where} to {old[0]} and mask"
    return f"pad {one.where} to few sizes in dimension {axis} ({old[axis]} → {new[axis]})"


def _dimensions(shape: tuple[int, ...]) -> str:
    return f"{len(shape)} dimension{'' if len(shape) == 1 else 's'}"


def _first_unequal(old: tuple[int, ...], new: tuple[int, ...]) -> int:
    return next(axis for axis, (before, now) in enumerate(zip(old, new, strict=True)) if before != now)


def _resized(one: Difference) -> str | None:
    """`x.0` where it is one dimension's size that changed, as `--pad` takes it."""
    old, new = one.old, one.new
    if one.kind != "shape" or not (isinstance(old, tuple) and isinstance(new, tuple)):
        return None
    return f"{one.where}.{_first_unequal(old, new)}" if len(old) == len(new) else None


def _quoted(word: str) -> str:
    """For a shell, readable where that can be."""
    if "'" not in word:
        return f"'{word}'"
    return shlex.quote(word) if set(word) & set('"$`\\!') else f'"{word}"'


def _dtype(one: Difference) -> str:
    old, new = str(one.old), str(one.new)
    if "key<" in new or "key<" in old:
        if "key<" in new and "key<" in old:
            return "make all keys by one implementation: jax.random.key(seed, impl=…)"
        return "use typed keys everywhere: jax.random.key(seed), not jax.random.PRNGKey(seed)"
    if "{weak}" in one.before and "{weak}" in one.now:
        return f"pass {one.where} as one Python type in every call: {_python(_wider(old, new))}({_leaf(one)})"
    return f"give {one.where} one dtype: jnp.asarray({_leaf(one)}, '{_long(_wider(old, new))}')"


def _wider(old: str, new: str) -> str:
    """Of `i32` and `f32` the one that holds the values of both; the old one where neither kind does."""
    order = "biufc"
    kinds = [order.find(name[0]) if name[0] in order else 0 for name in (old, new)]
    return new if kinds[1] > kinds[0] else old


def _weak_type(one: Difference) -> str:
    weak = "now" if one.new else "before"
    dtype = _long(one.now.partition("[")[0])
    return (
        f"{one.where} is a Python scalar, or made of such alone, {weak}: "
        f"give it a dtype, jnp.asarray({_leaf(one)}, '{dtype}')"
    )


def _python(dtype: str) -> str:
    return {"i": "int", "f": "float", "c": "complex"}.get(dtype[0], "bool")


def _long(dtype: str) -> str:
    from jitinspect.specs.dtypes import LONG

    return LONG.get(dtype, dtype)


def _leaf(one: Difference) -> str:
    return one.where or "x"


def _structure(one: Difference) -> str:
    old, new = one.old, one.new
    assert isinstance(old, Node) and isinstance(new, Node)
    if type(None) in (old.type, new.type):
        return f"None is not an array: always pass an array for {one.where}, or write two functions"
    if old.type is not new.type and not {old.type, new.type} & {list, tuple, dict, None}:
        return (
            f"each class of {one.where} compiles once: {_type_name(old)} and {_type_name(new)} are two trees"
        )
    if old.type is not new.type:
        return (
            f"pass {one.where} in one container type: {_type_name(old)} and {_type_name(new)} are two trees"
        )
    if old.keys != new.keys and isinstance(new.keys, tuple):
        return f"give {one.where} the same keys in every call"
    if old.keys != new.keys:
        return f"give {one.where} one length: stack it into one array, or pad it"
    if not has_equality(new.aux):
        return (
            f"what {_type_name(new)} keeps beside its arrays has no __eq__: each instance is a different tree"
        )
    return f"what {_type_name(new)} keeps beside its arrays differs: make it an array, or keep it the same"


def _type_name(node: Node) -> str:
    return node.type.__name__ if node.type is not None else "an array"


def _static_value(one: Difference) -> str:
    old, new = one.old, one.new
    if isinstance(old, Node) or isinstance(new, Node):
        return f"pass {one.where} as an array always or never: equinox makes everything else static"
    if isinstance(new, float) and new != new:
        return "NaN is not equal to itself: use None, or one object such as math.nan"
    if isinstance(old, bool) and isinstance(new, bool):
        return f"{one.where} compiles once for True and once for False"
    if isinstance(new, types.FunctionType):
        return f"each lambda or nested def is a new value: define it once, and pass that for {one.where}"
    if callable(new) or _holds_functions(new):
        return f"each {type(new).__name__} is a new value: make it once, and pass that for {one.where}"
    if not has_equality(new):
        return _no_equality(type(new))
    if type(old) is not type(new) and _are_equal(old, new):
        both = f"{type(old).__name__} and {type(new).__name__}"
        return f"JAX tells static values apart by type, too: pass {one.where} as one type, not as {both}"
    return (
        f"each value of {one.where} compiles once; if it takes many, make it an argument that is not static"
    )


def _are_equal(one: object, other: object) -> bool:
    """`==`, which a class may have written for its own kind alone."""
    try:
        return bool(one == other)
    except Exception:
        return False


def _holds_functions(value: object) -> bool:
    """An optimizer of optax's, say: a tuple of functions that are made anew with it."""
    return isinstance(value, tuple) and any(map(callable, value))


def _no_equality(cls: type) -> str:
    try:
        fields = [name for name in inspect.signature(cls).parameters][:3]
    except (TypeError, ValueError):
        fields = []
    of = f" ({', '.join(fields)})" if fields else ""
    return (
        f"{cls.__qualname__} has no __eq__, so each instance is a new value: "
        f"give it __eq__ and __hash__ by its fields{of}, as @dataclass(frozen=True) does"
    )


def _committed(one: Difference) -> str:
    return (
        f"commit {one.where} always or never: jax.device_put(x, device) once at the start; "
        "results of committed arrays, and of out_shardings, are committed, too"
    )


def _option(one: Difference) -> str:
    return f"make one jit of it, with one {one.where}, and use that"


def _config(one: Difference) -> str:
    return f"set {one.where} once at the start: jax.config.update({one.where!r}, …)"


def _always(text: str) -> Callable[[Difference], str]:
    return lambda one: text.format(where=one.where)


_HINTS: dict[ReasonKind, Callable[[Difference], str]] = {
    "shape": _shape,
    "dtype": _dtype,
    "weak_type": _weak_type,
    "structure": _structure,
    "static_value": _static_value,
    "call_form": _always("pass {where} in one way in every call: by position, or by keyword"),
    "committed": _committed,
    "device": _always("keep {where} on one device: jax.device_put it once, at the start"),
    "sharding": _always("give {where} one sharding: jax.device_put it once, or in_shardings on the jit"),
    "memory_kind": _always("keep {where} in one memory: jax.device_put it once, at the start"),
    "layout": _always("give {where} one layout: jax.device_put it once, or a Format in in_shardings"),
    "config": _config,
    "mesh": _always("enter the mesh once, around all calls: with jax.set_mesh(mesh)"),
    "closure": _always("a captured value is a constant of the trace: pass {where} as an argument"),
    "jit_options": _option,
    "transformation": _always(
        "a transformed jit is a different program: jit the outside, jax.jit(jax.grad(f))"
    ),
}
